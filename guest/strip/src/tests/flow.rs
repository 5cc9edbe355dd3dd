use wasm_encoder::InstructionSink;

use super::*;

/// Returns the stripped component of a function with two parameters.
fn flow(write: impl FnOnce(&mut InstructionSink<'_>)) -> Vec<u8> {
    let mut function = Function::new([]);
    write(&mut function.instructions());
    function.instructions().end();
    stripped(&module_of("a", [(2, function)], 1)).unwrap()
}

#[test]
fn all_ways_to_a_trap_share_one() {
    use BlockType::Empty;
    let long = flow(|of| {
        of.block(Empty).block(Empty).block(Empty);
        of.local_get(0).br_if(0).local_get(1).br_if(1);
        of.block(Empty).local_get(0).br_table([0, 1], 2).end();
        of.call(0).return_().end();
        // Nothing reaches the second step.
        of.unreachable().unreachable().end();
        of.unreachable().end();
        of.unreachable();
    });
    let short = flow(|of| {
        of.block(Empty);
        of.local_get(0).br_if(0).local_get(1).br_if(0);
        of.block(Empty).local_get(0).br_table([0, 1], 1).end();
        of.call(0).return_().end();
        of.unreachable();
    });
    assert_eq!(long, short);
}

#[test]
fn a_block_that_one_branch_skips_is_an_if() {
    use BlockType::Empty;
    let long = flow(|of| {
        of.block(Empty)
            .call(0)
            .local_get(0)
            .i32_eqz()
            .br_if(0)
            .call(0)
            .end();
        of.block(Empty)
            .local_get(0)
            .local_get(1)
            .i32_lt_u()
            .br_if(0)
            .call(0)
            .end();
        of.block(Empty)
            .local_get(0)
            .br_if(0)
            .call(0)
            .return_()
            .end();
    });
    let short = flow(|of| {
        of.call(0).local_get(0).if_(Empty).call(0).end();
        of.local_get(0)
            .local_get(1)
            .i32_ge_u()
            .if_(Empty)
            .call(0)
            .end();
        of.local_get(0).i32_eqz().if_(Empty).call(0).return_().end();
    });
    assert_eq!(long, short);
    let long = flow(|of| {
        of.block(Empty).block(Empty);
        of.local_get(0).br_if(0).call(0).br(1).end();
        of.call(0).call(0).end();
    });
    let short = flow(|of| {
        of.local_get(0).i32_eqz().if_(Empty).call(0).else_();
        of.call(0).call(0).end();
    });
    assert_eq!(long, short);
}

#[test]
fn blocks_stay_where_more_depends_on_them() {
    use BlockType::Empty;
    let stays = |write: fn(&mut InstructionSink<'_>)| {
        let mut function = Function::new([]);
        write(&mut function.instructions());
        function.instructions().end();
        let component = module_of("a", [(2, function)], 1);
        assert_eq!(stripped(&component).unwrap(), component);
    };
    // Two branches lead to the end.
    stays(|of| {
        of.block(Empty).local_get(0).br_if(0).local_get(1).br_if(0);
        of.call(0).end();
    });
    // The value would still be on the stack behind the block.
    stays(|of| {
        of.block(Empty).i32_const(7).local_get(0).br_if(0);
        of.return_().end();
    });
    stays(|of| {
        of.block(Empty).i32_const(7).br(0).end();
    });
    // There is a value around the block.
    stays(|of| {
        of.i32_const(7).block(Empty).local_get(0).br_if(0);
        of.call(0).end().drop();
    });
    // The branch leads back.
    stays(|of| {
        of.loop_(Empty).local_get(0).br_if(0).call(0).end();
    });
}
