//! Replaces a block by an `if`, which needs no branch. The stack has to be empty at the branch: an `if` cannot use values from before
//! it, and a branch would drop values that stay behind an `if`.

use wasmparser::Operator;

use super::{Block, Node};

/// Replaces the blocks that only one branch leaves, by the number of branches to each.
pub(super) fn decided<'a>(body: Vec<Node<'a>>, uses: &[u32]) -> Vec<Node<'a>> {
    let mut all = Vec::with_capacity(body.len());
    for node in body {
        let Node::Block(mut block) = node else {
            all.push(node);
            continue;
        };
        for body in block.bodies() {
            *body = decided(std::mem::take(body), uses);
        }
        if uses[block.label] != 1 {
            all.push(Node::Block(block));
            continue;
        }
        let label = block.label;
        let skips = |node: &Node<'_>| match node {
            // To the end of the block, unless a value is zero.
            Node::BranchIf(to, true) => *to == label,
            // The same at the end of an `if` that only [`decided`] makes: no branch leads behind it.
            Node::Block(of) => {
                of.is_clear
                    && of.or_else.is_none()
                    && matches!(of.body.last(), Some(Node::Branch(to)) if *to == label)
            }
            _ => false,
        };
        let Some(at) = block.body.iter().position(skips) else {
            all.push(Node::Block(block));
            continue;
        };
        let rest = block.body.split_off(at + 1);
        match block.body.pop() {
            Some(Node::Block(mut decides)) => {
                decides.body.pop();
                decides.or_else = Some(rest).filter(|rest| !rest.is_empty());
                all.extend(block.body);
                all.push(Node::Block(decides));
            }
            _ => {
                all.extend(block.body);
                invert(&mut all);
                let decides = Block::decides(label, rest);
                all.push(Node::Block(Block {
                    is_clear: true,
                    ..decides
                }));
            }
        }
    }
    all
}

/// Negates the condition on the stack.
fn invert(body: &mut Vec<Node<'_>>) {
    use Operator::*;
    let inverse = match body.last() {
        Some(Node::Step(I32Eqz)) => {
            body.pop();
            return;
        }
        Some(Node::Step(of)) => match of {
            I32Eq => Some(I32Ne),
            I32Ne => Some(I32Eq),
            I32LtS => Some(I32GeS),
            I32LtU => Some(I32GeU),
            I32GtS => Some(I32LeS),
            I32GtU => Some(I32LeU),
            I32LeS => Some(I32GtS),
            I32LeU => Some(I32GtU),
            I32GeS => Some(I32LtS),
            I32GeU => Some(I32LtU),
            I64Eq => Some(I64Ne),
            I64Ne => Some(I64Eq),
            I64LtS => Some(I64GeS),
            I64LtU => Some(I64GeU),
            I64GtS => Some(I64LeS),
            I64GtU => Some(I64LeU),
            I64LeS => Some(I64GtS),
            I64LeU => Some(I64GtU),
            I64GeS => Some(I64LtS),
            I64GeU => Some(I64LtU),
            _ => None,
        },
        _ => None,
    };
    match (inverse, body.last_mut()) {
        (Some(inverse), Some(last)) => *last = Node::Step(inverse),
        _ => body.push(Node::Step(I32Eqz)),
    }
}
