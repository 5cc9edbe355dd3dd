module bench

go 1.27

require asyncio-streams v0.1.0

replace asyncio-streams => ../../../bindings/go
