//! Decides which part provides what to which, before anything is built, so that errors name the parts.

use std::collections::{HashMap, HashSet};

use wac_graph::types::{ItemKind, Package, SubtypeChecker, Types, are_semver_compatible};
use wac_graph::{CompositionGraph, PackageId};

use super::{ComposeError, Missing, Part, Plug, is_provided_by_host, provider_of, unversioned};

/// One import to be satisfied by one export; parts are indices.
pub(super) struct Wire {
    pub(super) user: usize,
    pub(super) import: String,
    pub(super) provider: usize,
    pub(super) export: String,
    wanted: ItemKind,
    given: ItemKind,
}

/// A plan of parts that fit together.
pub(super) struct Plan {
    pub(super) names: Vec<String>,
    pub(super) packages: Vec<PackageId>,
    pub(super) wires: Vec<Wire>,
    pub(super) program: usize,
}

impl Plan {
    /// Registers the parts in the graph and finds out how they fit.
    pub(super) fn new(
        graph: &mut CompositionGraph,
        parts: Vec<Part>,
    ) -> Result<Self, ComposeError> {
        if parts.is_empty() {
            return Err(ComposeError::NoParts);
        }
        let (names, packages) = register(graph, parts)?;
        let (imports, exports): (Vec<_>, Vec<_>) = packages
            .iter()
            .map(|package| &graph.types()[graph[*package].ty()])
            .map(|world| (items(&world.imports), items(&world.exports)))
            .unzip();
        let world = World {
            names: &names,
            imports,
            exports,
        };
        let wires = world.wires()?;
        world.check_types(graph.types(), &wires)?;
        world.check_cycles(&wires)?;
        let program = world.program(&wires)?;
        Ok(Self {
            names,
            packages,
            wires,
            program,
        })
    }

    pub(super) fn plug(&self, wire: &Wire) -> Plug {
        Plug {
            user: self.names[wire.user].clone(),
            interface: wire.import.clone(),
            provider: self.names[wire.provider].clone(),
        }
    }
}

fn register(
    graph: &mut CompositionGraph,
    parts: Vec<Part>,
) -> Result<(Vec<String>, Vec<PackageId>), ComposeError> {
    let mut seen = HashMap::new();
    for part in &parts {
        part.check()?;
        if seen.insert(part.bytes(), part.name()).is_some() {
            return Err(ComposeError::GivenTwice {
                part: part.name().to_owned(),
            });
        }
    }
    let mut names = Vec::new();
    let mut packages = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        let (name, bytes) = part.into_inner();
        // The graph requires unique names; two parts may have the same one.
        let unique = if names.contains(&name) {
            format!("{name} ({index})")
        } else {
            name
        };
        let package =
            Package::from_bytes(&unique, None, bytes, graph.types_mut()).map_err(|error| {
                ComposeError::Damaged {
                    part: unique.clone(),
                    reason: format!("{error:#}"),
                }
            })?;
        packages.push(graph.register_package(package).map_err(super::internal)?);
        names.push(unique);
    }
    Ok((names, packages))
}

fn items<'a>(
    items: impl IntoIterator<Item = (&'a String, &'a ItemKind)>,
) -> Vec<(String, ItemKind)> {
    items
        .into_iter()
        .map(|(name, kind)| (name.clone(), *kind))
        .collect()
}

/// The imports and exports of each part.
struct World<'a> {
    names: &'a [String],
    imports: Vec<Vec<(String, ItemKind)>>,
    exports: Vec<Vec<(String, ItemKind)>>,
}

impl World<'_> {
    fn wires(&self) -> Result<Vec<Wire>, ComposeError> {
        let mut wires = Vec::new();
        let mut missing = Vec::new();
        for (user, imports) in self.imports.iter().enumerate() {
            for (import, wanted) in imports {
                let mut found = (0..self.exports.len())
                    .filter(|provider| *provider != user)
                    .filter_map(|provider| Some((provider, self.export_for(provider, import)?)));
                match (found.next(), found.next()) {
                    (Some((provider, (export, given))), None) => {
                        let (import, export) = (import.clone(), export.clone());
                        wires.push(Wire {
                            user,
                            import,
                            provider,
                            export,
                            wanted: *wanted,
                            given: *given,
                        });
                    }
                    (Some(first), Some(second)) => {
                        let providers = [first, second].into_iter().chain(found);
                        return Err(ComposeError::SeveralProviders {
                            interface: import.clone(),
                            user: self.names[user].clone(),
                            providers: providers
                                .map(|(provider, _)| self.names[provider].clone())
                                .collect(),
                        });
                    }
                    (None, _) if is_provided_by_host(import) => {}
                    (None, _) => self.add_missing(&mut missing, user, import)?,
                }
            }
        }
        if missing.is_empty() {
            Ok(wires)
        } else {
            Err(ComposeError::Missing { missing })
        }
    }

    /// Returns the export of `provider` that satisfies `import`; the exact version is preferred.
    fn export_for(&self, provider: usize, import: &str) -> Option<&(String, ItemKind)> {
        let exports = &self.exports[provider];
        let exact = exports.iter().find(|(name, _)| name == import);
        exact.or_else(|| {
            exports
                .iter()
                .find(|(name, _)| are_semver_compatible(name, import))
        })
    }

    fn add_missing(
        &self,
        missing: &mut Vec<Missing>,
        user: usize,
        import: &str,
    ) -> Result<(), ComposeError> {
        for (provider, exports) in self
            .exports
            .iter()
            .enumerate()
            .filter(|(provider, _)| *provider != user)
        {
            if let Some((export, _)) = exports
                .iter()
                .find(|(export, _)| unversioned(export) == unversioned(import))
            {
                return Err(ComposeError::VersionMismatch {
                    user: self.names[user].clone(),
                    import: import.to_owned(),
                    provider: self.names[provider].clone(),
                    export: export.clone(),
                });
            }
        }
        let imports = self.imports[user].iter().map(|(name, _)| name);
        let (part, provider) = (&self.names[user], provider_of(import, imports));
        match missing
            .iter_mut()
            .find(|known| known.part == *part && known.provider == provider)
        {
            Some(known) => known.interfaces.push(import.to_owned()),
            None => missing.push(Missing {
                part: part.clone(),
                interfaces: vec![import.to_owned()],
                provider,
            }),
        }
        Ok(())
    }

    fn check_types(&self, types: &Types, wires: &[Wire]) -> Result<(), ComposeError> {
        let mut cache = HashSet::new();
        for Wire {
            user,
            provider,
            export,
            wanted,
            given,
            ..
        } in wires
        {
            SubtypeChecker::new(&mut cache)
                .is_subtype(*given, types, *wanted, types)
                .map_err(|error| ComposeError::TypeMismatch {
                    user: self.names[*user].clone(),
                    provider: self.names[*provider].clone(),
                    export: export.clone(),
                    reason: format!("{error:#}"),
                })?;
        }
        Ok(())
    }

    fn check_cycles(&self, wires: &[Wire]) -> Result<(), ComposeError> {
        // A part is done when everything that it uses is done. A part that is never done is in a circle or uses one
        // that is.
        let mut open: Vec<usize> = (0..self.names.len()).collect();
        let next_open = |open: &[usize], part: usize| {
            wires
                .iter()
                .find(|wire| wire.user == part && open.contains(&wire.provider))
                .map(|wire| wire.provider)
        };
        loop {
            let left: Vec<_> = open
                .iter()
                .copied()
                .filter(|part| next_open(&open, *part).is_some())
                .collect();
            if left.len() == open.len() {
                break;
            }
            open = left;
        }
        let mut path = Vec::from_iter(open.first().copied());
        while let Some(next) = path.last().and_then(|part| next_open(&open, *part)) {
            let start = path.iter().position(|part| *part == next);
            path.push(next);
            if let Some(start) = start {
                let parts = path[start..]
                    .iter()
                    .map(|part| self.names[*part].clone())
                    .collect();
                return Err(ComposeError::Cycle { parts });
            }
        }
        Ok(())
    }

    /// Returns the one part that no other uses. There must be no circle, so that at least one exists.
    fn program(&self, wires: &[Wire]) -> Result<usize, ComposeError> {
        let unused =
            (0..self.names.len()).filter(|part| !wires.iter().any(|wire| wire.provider == *part));
        let unused: Vec<_> = unused.collect();
        let runs = |part: &usize| {
            self.exports[*part]
                .iter()
                .any(|(name, _)| unversioned(name) == "wasi:cli/run")
        };
        let mut programs = unused.iter().copied().filter(runs);
        match (unused.as_slice(), programs.next(), programs.next()) {
            (&[program], _, _) => Ok(program),
            (_, Some(program), None) => {
                let part = unused
                    .iter()
                    .copied()
                    .find(|part| *part != program)
                    .unwrap_or(program);
                Err(ComposeError::Unused {
                    part: self.names[part].clone(),
                    program: self.names[program].clone(),
                    exports: self.exports[part]
                        .iter()
                        .map(|(name, _)| name.clone())
                        .collect(),
                })
            }
            _ => Err(ComposeError::SeveralPrograms {
                parts: unused
                    .iter()
                    .map(|part| self.names[*part].clone())
                    .collect(),
            }),
        }
    }
}
