;; wasmtime 48 keeps the task of every call below until the store ends.
;;
;; The callee returns and exits in its first turn, so the async-lowered call answers RETURNED and gives the caller no
;; subtask handle. Nothing deletes the callee's task then.
;;
;;   wasmtime run --invoke 'calls(1000)'    task-kept-after-return.wat
;;   wasmtime run --invoke 'calls(1000000)' task-kept-after-return.wat    # 390 MiB more, then a trap: the table of tasks is full
(component
  (component $callee
    (core module $m
      (import "" "task.return" (func $return))
      (func (export "f") (result i32)
        (call $return)
        (i32.const 0)) ;; EXIT
      (func (export "callback") (param i32 i32 i32) (result i32)
        unreachable))
    (core func $return (canon task.return))
    (core instance $i (instantiate $m
      (with "" (instance (export "task.return" (func $return))))))
    (type $f (func async))
    (func (export "f") (type $f)
      (canon lift (core func $i "f") async (callback (core func $i "callback")))))

  (component $caller
    (type $f (func async))
    (import "f" (func $f (type $f)))
    (core module $m
      (import "" "f" (func $f (result i32)))
      (import "" "task.return" (func $return))
      (func (export "calls") (param $n i32) (result i32)
        (loop $again
          (if (i32.ne (call $f) (i32.const 2)) ;; RETURNED, and no handle
            (then unreachable))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $again (local.get $n)))
        (call $return)
        (i32.const 0)) ;; EXIT
      (func (export "callback") (param i32 i32 i32) (result i32)
        unreachable))
    (core func $f (canon lower (func $f) async))
    (core func $return (canon task.return))
    (core instance $i (instantiate $m
      (with "" (instance
        (export "f" (func $f))
        (export "task.return" (func $return))))))
    (type $calls (func async (param "n" u32)))
    (func (export "calls") (type $calls)
      (canon lift (core func $i "calls") async (callback (core func $i "callback")))))

  (instance $callee (instantiate $callee))
  (instance $caller (instantiate $caller (with "f" (func $callee "f"))))
  (export "calls" (func $caller "calls")))
