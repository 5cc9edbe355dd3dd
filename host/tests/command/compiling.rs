//! Compiled programs and their cache.

use std::path::Path;

use crate::{assert_fails, command, output};

#[test]
fn a_compiled_program_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let compiled = folder.path().join("app.cwasm");
    for (body, code) in [("i32.const 0", 0), ("i32.const 1", 1)] {
        let app = command(&folder, body);
        let compile = [
            "compile".as_ref(),
            app.as_os_str(),
            "-o".as_ref(),
            compiled.as_os_str(),
        ];
        assert!(output(compile).status.success());
        let run = output(["run".as_ref(), compiled.as_os_str()]);
        assert_eq!(run.status.code(), Some(code), "{run:?}");
    }
    let mut last: Vec<u8> = Vec::new();
    for option in ["--cache=off", "--uninterruptible"] {
        let app = command(&folder, "i32.const 1");
        let compile = [
            "compile".as_ref(),
            option.as_ref(),
            app.as_os_str(),
            "-o".as_ref(),
            compiled.as_os_str(),
        ];
        assert!(output(compile).status.success());
        let bytes = std::fs::read(&compiled).expect("a file");
        assert_ne!(bytes, last, "the option changes the code");
        last = bytes;
        let run = output(["run".as_ref(), compiled.as_os_str()]);
        assert_eq!(run.status.code(), Some(1), "{option}: {run:?}");
    }
    let serve = [
        "serve".as_ref(),
        "--listen=127.0.0.1:0".as_ref(),
        compiled.as_os_str(),
    ];
    let refused = output(serve);
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(
        error.contains("app.cwasm was compiled with `--uninterruptible`")
            && error.contains("set `--stuck-timeout off`"),
        "{error}"
    );
    let traps = command(&folder, "unreachable");
    assert_fails(
        [
            "compile".as_ref(),
            "-o".as_ref(),
            "no/such/app.cwasm".as_ref(),
            traps.as_os_str(),
        ],
        1,
        "streams: cannot write no/such/app.cwasm: No such file or directory (os error 2)",
    );
}

/// `streams run` maps its file, so that of a running program must not change.
#[test]
fn an_existing_file_is_replaced_and_a_link_stays_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let [file, kept, link] = ["app.cwasm", "kept", "link"].map(|name| folder.path().join(name));
    std::fs::write(&file, "before").expect("a file");
    std::fs::hard_link(&file, &kept).expect("a second name of the file");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    let app = command(&folder, "i32.const 0");
    let compile = [
        "compile".as_ref(),
        app.as_os_str(),
        "-o".as_ref(),
        link.as_os_str(),
    ];
    assert!(output(compile).status.success());
    assert_eq!(std::fs::read(&kept).expect("the old file"), b"before");
    assert!(link.is_symlink());
    let run = output(["run".as_ref(), link.as_os_str()]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let names = std::fs::read_dir(folder.path())
        .expect("the folder")
        .count();
    assert_eq!(names, 4, "no other file is left");
}

#[test]
fn a_program_is_compiled_once_for_a_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = command(&folder, "i32.const 0");
    let cache = folder.path().join("new/cache");
    let run = || {
        let args = [
            "run".as_ref(),
            "--cache".as_ref(),
            cache.as_os_str(),
            app.as_os_str(),
        ];
        output(args).status.code()
    };
    let files = || {
        fn below(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .map(|entry| match entry.path() {
                    path if path.is_dir() => below(&path),
                    path => usize::from(path.extension().is_none()),
                })
                .sum()
        }
        below(&cache)
    };
    assert_eq!(run(), Some(0));
    let kept = files();
    assert!(kept > 0, "nothing is kept");
    assert_eq!(run(), Some(0));
    assert_eq!(files(), kept);
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let args = [
        "run".as_ref(),
        "--cache".as_ref(),
        file.as_os_str(),
        app.as_os_str(),
    ];
    let error = String::from_utf8_lossy(&output(args).stderr).into_owned();
    assert!(
        error.starts_with("streams: cannot use the cache "),
        "{error}"
    );
}
