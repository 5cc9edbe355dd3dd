//! Leaves out unreachable code and blocks that nothing branches out of. Branches that lead to a trap lead to a common one: a trap
//! ends every component in the store, and nothing else depends on where it was.

use wasmparser::Operator;

use super::decide::decided;
use super::{Block, Flow, Label, Node, is_trap};

/// The continuation of a part of the code.
#[derive(Clone, Copy)]
struct Continuation {
    /// Whether the code behind its end is a trap.
    traps: bool,
    /// The outermost block around it that ends before a trap.
    trap: Option<Label>,
}

impl Flow<'_> {
    /// Makes it shorter.
    pub(crate) fn shorten(&mut self) {
        // Joined blocks show more to leave out.
        for _ in 0..2 {
            self.shorten_once();
        }
    }

    fn shorten_once(&mut self) {
        prune(&mut self.body);
        let mut traps = vec![false; self.labels];
        let behind = Continuation {
            traps: false,
            trap: None,
        };
        share_traps(&mut self.body, behind, &mut traps);
        let mut uses = vec![0; self.labels];
        count(&self.body, &mut uses);
        // An `if` is shorter than a block for one branch to a trap.
        let gone = uses.iter().zip(traps);
        let gone: Vec<_> = gone
            .map(|(uses, traps)| *uses <= u32::from(traps))
            .collect();
        self.body = joined(std::mem::take(&mut self.body), &gone);
        prune(&mut self.body);
        let mut uses = vec![0; self.labels];
        count(&self.body, &mut uses);
        self.body = decided(std::mem::take(&mut self.body), &uses);
    }
}

/// Removes what no code reaches.
fn prune(body: &mut Vec<Node<'_>>) {
    let last = body.iter().position(|node| match node {
        Node::Step(of) => matches!(of, Operator::Unreachable | Operator::Return),
        Node::Branch(_) | Node::Table(_) => true,
        Node::BranchIf(..) | Node::Block(_) => false,
    });
    if let Some(last) = last {
        body.truncate(last + 1);
    }
    for node in body {
        if let Node::Block(block) = node {
            let label = block.label;
            let ends = !block.is_loop();
            for body in block.bodies() {
                prune(body);
                // The end leads there anyway.
                if ends && matches!(body.last(), Some(Node::Branch(to)) if *to == label) {
                    body.pop();
                }
            }
        }
    }
}

/// Lets branches to a trap trap, or lead to the outermost block that ends before one. Marks such blocks in `traps`.
fn share_traps(body: &mut [Node<'_>], behind: Continuation, traps: &mut [bool]) {
    for at in 0..body.len() {
        let next = body.get(at + 1).map_or(behind.traps, is_trap);
        match &mut body[at] {
            Node::Branch(label) if traps[*label] => {
                body[at] = Node::Step(Operator::Unreachable);
            }
            Node::BranchIf(label, _) if traps[*label] => {
                *label = behind.trap.unwrap_or(*label);
            }
            Node::Table(labels) => {
                for label in labels.iter_mut().filter(|of| traps[**of]) {
                    *label = behind.trap.unwrap_or(*label);
                }
            }
            Node::Block(block) => {
                // A block with a result would hand a value on.
                let traps_behind = next && block.is_empty();
                let mut inside = Continuation {
                    traps: traps_behind,
                    ..behind
                };
                if traps_behind && block.is_plain() {
                    traps[block.label] = true;
                    inside.trap = behind.trap.or(Some(block.label));
                }
                block.bodies().for_each(|of| share_traps(of, inside, traps));
                if let (true, Some(trap)) = (block.is_check(), behind.trap) {
                    body[at] = Node::BranchIf(trap, false);
                }
            }
            _ => {}
        }
    }
}

/// Counts how often branches lead to each block. Blocks that have to stay count as if there were more.
fn count(body: &[Node<'_>], uses: &mut [u32]) {
    for node in body {
        match node {
            Node::Step(_) => {}
            Node::Branch(label) | Node::BranchIf(label, _) => uses[*label] += 1,
            // Its labels have to stay.
            Node::Table(labels) => labels.iter().for_each(|label| uses[*label] += 2),
            Node::Block(block) => {
                if !block.is_plain() {
                    uses[block.label] += 2;
                }
                count(&block.body, uses);
                block.or_else.iter().for_each(|of| count(of, uses));
            }
        }
    }
}

/// Puts the content of blocks that are gone in their place. Branches that led to them trap.
fn joined<'a>(body: Vec<Node<'a>>, gone: &[bool]) -> Vec<Node<'a>> {
    let mut all = Vec::with_capacity(body.len());
    for node in body {
        match node {
            Node::BranchIf(label, _) if gone[label] => all.push(Node::Block(Block::check(label))),
            Node::Block(block) if gone[block.label] => all.extend(joined(block.body, gone)),
            Node::Block(mut block) => {
                for body in block.bodies() {
                    *body = joined(std::mem::take(body), gone);
                }
                all.push(Node::Block(block));
            }
            other => all.push(other),
        }
    }
    all
}
