;; wasmtime 48 traps in `subtask.drop`, although the caller does what the component model asks of it.
;;
;; The callee returns in its second turn and exits in its third. The caller takes the event RETURNED between the two, and
;; drops the subtask after the callee's exit. The task has been deleted by then.
;;
;;   wasmtime run --invoke 'drops()' subtask-drop-after-exit.wat
(component
  (component $callee
    (core module $m
      (import "" "task.return" (func $return))
      (global $returned (mut i32) (i32.const 0))
      (func (export "f") (result i32)
        (i32.const 1)) ;; YIELD: the caller gets a handle
      (func (export "callback") (param i32 i32 i32) (result i32)
        (if (global.get $returned)
          (then (return (i32.const 0)))) ;; EXIT
        (global.set $returned (i32.const 1))
        (call $return)
        (i32.const 1))) ;; YIELD
    (core func $return (canon task.return))
    (core instance $i (instantiate $m
      (with "" (instance (export "task.return" (func $return))))))
    (type $f (func async))
    (func (export "f") (type $f)
      (canon lift (core func $i "f") async (callback (core func $i "callback")))))

  (component $caller
    (type $f (func async))
    (import "f" (func $f (type $f)))
    (core module $memory (memory (export "memory") 1))
    (core instance $memory (instantiate $memory))
    (core module $m
      (import "" "f" (func $f (result i32)))
      (import "" "task.return" (func $return))
      (import "" "waitable-set.new" (func $set-new (result i32)))
      (import "" "waitable.join" (func $join (param i32 i32)))
      (import "" "waitable-set.wait" (func $wait (param i32 i32) (result i32)))
      (import "" "thread.yield" (func $yield (result i32)))
      (import "" "subtask.drop" (func $drop (param i32)))
      (func (export "drops") (result i32)
        (local $subtask i32)
        (local $set i32)
        ;; The handle is above the four bits of the state, which is STARTED.
        (local.set $subtask (i32.shr_u (call $f) (i32.const 4)))
        (local.set $set (call $set-new))
        (call $join (local.get $subtask) (local.get $set))
        ;; SUBTASK, and with it RETURNED.
        (if (i32.ne (call $wait (local.get $set) (i32.const 0)) (i32.const 1))
          (then unreachable))
        ;; The callee exits meanwhile.
        (drop (call $yield))
        (call $drop (local.get $subtask)) ;; traps
        (call $return)
        (i32.const 0)) ;; EXIT
      (func (export "callback") (param i32 i32 i32) (result i32)
        unreachable))
    (core func $f (canon lower (func $f) async))
    (core func $return (canon task.return))
    (core func $set-new (canon waitable-set.new))
    (core func $join (canon waitable.join))
    (core func $wait (canon waitable-set.wait (memory (core memory $memory "memory"))))
    (core func $yield (canon thread.yield))
    (core func $drop (canon subtask.drop))
    (core instance $i (instantiate $m
      (with "" (instance
        (export "f" (func $f))
        (export "task.return" (func $return))
        (export "waitable-set.new" (func $set-new))
        (export "waitable.join" (func $join))
        (export "waitable-set.wait" (func $wait))
        (export "thread.yield" (func $yield))
        (export "subtask.drop" (func $drop))))))
    (type $drops (func async))
    (func (export "drops") (type $drops)
      (canon lift (core func $i "drops") async (callback (core func $i "callback")))))

  (instance $callee (instantiate $callee))
  (instance $caller (instantiate $caller (with "f" (func $callee "f"))))
  (export "drops" (func $caller "drops")))
