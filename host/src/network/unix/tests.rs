use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn named(path: &Path) -> Named {
    Named::parse(path.as_os_str().as_bytes()).expect("a path")
}

fn granted(text: impl fmt::Display) -> Vec<UnixPath> {
    let Ok(path) = text.to_string().parse();
    vec![path]
}

#[test]
fn a_path_that_no_socket_can_have_is_invalid() {
    for (path, reason) in [
        (&b""[..], "empty"),
        (b"\0", "empty"),
        (b"a.sock", "relative"),
        (b"../a.sock", "relative"),
        (b"./a.sock", "relative"),
        (b"/", "folder"),
        (b"/a/", "folder"),
        (b"/a/.", "folder"),
        (b"/a/..", "folder"),
        (b"/a\0b", "zero byte"),
    ] {
        match Named::parse(path) {
            Err(PathError::Invalid(found)) => assert!(found.contains(reason), "{path:?}: {found}"),
            other => panic!("{path:?}: {other:?}"),
        }
    }
}

#[test]
fn a_grant_of_a_socket_grants_only_that() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| named(&folder.path().join(name));
    let grants = granted(folder.path().join("a.sock").display());
    for wanted in [UnixUse::Connect, UnixUse::Listen] {
        assert!(check(&at("a.sock"), &grants, wanted).is_ok());
        assert_eq!(
            check(&at("b.sock"), &grants, wanted),
            Err(PathError::Denied)
        );
        assert_eq!(
            check(&at("a.sock/c"), &grants, wanted),
            Err(PathError::Denied)
        );
        assert_eq!(check(&at("a.sock"), &[], wanted), Err(PathError::Denied));
    }
    Ok(())
}

#[test]
fn a_grant_of_a_folder_grants_what_is_below_it() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("in/deep"))?;
    let at = |name: &str| named(&folder.path().join(name));
    let grants = granted(format!("{}/in/", folder.path().display()));
    for path in ["in/a", "in/deep/a", "in/deep/../a"] {
        assert!(check(&at(path), &grants, UnixUse::Listen).is_ok(), "{path}");
    }
    for path in ["a", "in/../a", "in/deep/../../a", "inside"] {
        let checked = check(&at(path), &grants, UnixUse::Listen);
        assert_eq!(checked, Err(PathError::Denied), "{path}");
    }
    let missing = check(&at("in/none/a"), &grants, UnixUse::Listen);
    assert!(
        matches!(missing, Err(PathError::NotFound(_))),
        "{missing:?}"
    );
    // Outside the grants, the error does not reveal whether there is such a folder.
    let outside = check(&at("none/a"), &grants, UnixUse::Listen);
    assert_eq!(outside, Err(PathError::Denied));
    Ok(())
}

#[test]
fn links_lead_nowhere_else() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("in"))?;
    fs::create_dir_all(at("out"))?;
    fs::write(at("out/secret.sock"), "")?;
    fs::write(at("in/real.sock"), "")?;
    symlink(at("out/secret.sock"), at("in/link.sock"))?;
    symlink(at("out"), at("in/folder"))?;
    symlink(at("in/real.sock"), at("in/same.sock"))?;
    symlink(at("in"), at("alias"))?;
    let grants = granted(format!("{}/in/", folder.path().display()));
    let connect = |name: &str| check(&named(&at(name)), &grants, UnixUse::Connect);
    assert_eq!(connect("in/link.sock"), Err(PathError::Denied));
    assert_eq!(connect("in/folder/secret.sock"), Err(PathError::Denied));
    let real = Named::File(folder.path().canonicalize()?.join("in/real.sock"));
    assert_eq!(connect("in/same.sock"), Ok(real.clone()));
    assert_eq!(connect("alias/real.sock"), Ok(real));
    let listen = check(&named(&at("in/folder/new")), &grants, UnixUse::Listen);
    assert_eq!(listen, Err(PathError::Denied));
    // A grant of a link does not grant the socket behind it.
    let of_link = granted(at("in/link.sock").display());
    let connect = check(&named(&at("in/link.sock")), &of_link, UnixUse::Connect);
    assert_eq!(connect, Err(PathError::Denied));
    Ok(())
}

#[test]
fn abstract_names_are_granted_as_they_are() {
    let name = |text: &str| Named::Abstract(text.as_bytes().to_vec());
    let grants = granted("@app");
    assert_eq!(
        check(&name("app"), &grants, UnixUse::Listen),
        Ok(name("app"))
    );
    for other in ["ap", "app2", "/app"] {
        let checked = check(&name(other), &grants, UnixUse::Connect);
        assert_eq!(checked, Err(PathError::Denied));
    }
    let everything = granted("/");
    let checked = check(&name("app"), &everything, UnixUse::Connect);
    assert_eq!(checked, Err(PathError::Denied));
}

#[test]
fn a_displayed_grant_can_be_parsed_again() {
    for text in ["/run/app.sock", "/run/app/", "@name", "/"] {
        let Ok(path) = text.parse::<UnixPath>();
        assert_eq!(path.to_string(), text);
    }
}
