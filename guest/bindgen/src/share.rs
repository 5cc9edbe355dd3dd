//! Moves the code that lowers errors out of the exported functions, into functions that they share.
//!
//! wit-bindgen lowers a variant by `use PATH::Error as V1;` and a `match` over its cases, in one of two forms: the `match` writes
//! to memory, or it returns the values of the component model. Matches of one form are equal but for the names of variables. The
//! first one becomes the body of a function beside the type, and all of them become calls.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use quote::format_ident;
use syn::visit::Visit;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprLit, ExprMatch, ExprPath, File, Ident, Item, ItemFn, ItemUse, Lit, Local, Pat,
    Path, Stmt, Type, UseTree, parse_quote,
};

/// The end of the path to the type whose lowering is shared.
const TYPE: [&str; 2] = ["types", "Error"];

/// How far the module of that type lies below the root of the bindings.
const UPS: usize = 4;

/// Shares the code in `source`. Returns the new source, and how many places call shared functions.
///
/// # Errors
/// When `source` is not Rust.
pub(crate) fn errors(source: &str) -> Result<(File, usize)> {
    let mut file: File =
        syn::parse_str(source).context("wit-bindgen wrote code that is not Rust")?;
    let mut sharing = Sharing::default();
    // The first pass may reach a place before the one that can become the function.
    sharing.visit_file_mut(&mut file);
    sharing.visit_file_mut(&mut file);
    let functions: Vec<Item> = sharing.functions.into_values().collect();
    let mut places = sharing.places;
    if !functions.is_empty()
        && !add(
            &mut file.items,
            &["exports", "asyncio", "streams", "types"],
            &functions,
        )
    {
        places = 0;
    }
    Ok((file, places))
}

/// Adds `functions` to the module `path` below `items`. Returns whether there is one.
fn add(items: &mut Vec<Item>, path: &[&str], functions: &[Item]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        items.extend_from_slice(functions);
        return true;
    };
    items.iter_mut().any(|item| match item {
        Item::Mod(module) if module.ident == first => module
            .content
            .as_mut()
            .is_some_and(|(_, items)| add(items, rest, functions)),
        _ => false,
    })
}

#[derive(Default)]
struct Sharing {
    /// By name.
    functions: BTreeMap<Ident, Item>,
    places: usize,
}

impl VisitMut for Sharing {
    fn visit_block_mut(&mut self, block: &mut Block) {
        let mut old = std::mem::take(&mut block.stmts).into_iter().peekable();
        while let Some(statement) = old.next() {
            let call = alias(&statement)
                .zip(old.peek())
                .and_then(|(alias, next)| self.call(&alias, next));
            match call {
                Some(call) => {
                    old.next();
                    block.stmts.push(call);
                    self.places += 1;
                }
                None => block.stmts.push(statement),
            }
        }
        visit_mut::visit_block_mut(self, block);
    }
}

impl Sharing {
    /// Returns the call that replaces `statement`, which follows `alias`; `None` if it does not lower an error.
    fn call(&mut self, alias: &Alias, statement: &Stmt) -> Option<Stmt> {
        match statement {
            Stmt::Expr(Expr::Match(lowering), _) => {
                let (base, offset) = destination(lowering)?;
                let name = format_ident!("lower_error_at_{offset}");
                let (error, item) = (&alias.error, &alias.item);
                self.provide(alias, &name, || {
                    parse_quote! {
                        pub unsafe fn #name(e: #error, #base: *mut u8) {
                            use super::super::super::super::_rt;
                            #item
                            unsafe { #lowering }
                        }
                    }
                })?;
                let function = alias.beside_error(&name);
                Some(parse_quote!(#function(e, #base);))
            }
            Stmt::Local(Local {
                pat: Pat::Tuple(values),
                init: Some(init),
                ..
            }) => {
                let Expr::Match(lowering) = &*init.expr else {
                    return None;
                };
                let (types, cleanup) = (types(lowering)?, cleanup(lowering)?);
                let name = format_ident!("lower_error");
                let (error, item) = (&alias.error, &alias.item);
                self.provide(alias, &name, || {
                    parse_quote! {
                        pub unsafe fn #name(e: &#error, cleanup_list: &mut Vec<#cleanup>) -> (#(#types),*) {
                            use super::super::super::super::_rt;
                            #item
                            unsafe { #lowering }
                        }
                    }
                })?;
                let function = alias.beside_error(&name);
                Some(parse_quote!(let #values = #function(e, &mut cleanup_list);))
            }
            _ => None,
        }
    }

    /// Makes the function `name`, unless there is one. `None` if the paths in its body would not fit the module of errors.
    fn provide(
        &mut self,
        alias: &Alias,
        name: &Ident,
        make: impl FnOnce() -> ItemFn,
    ) -> Option<()> {
        if !self.functions.contains_key(name) {
            if alias.ups() != UPS {
                return None;
            }
            let mut function = make();
            function.attrs = vec![parse_quote!(#[doc(hidden)]), parse_quote!(#[inline(never)])];
            self.functions.insert(name.clone(), Item::Fn(function));
        }
        Some(())
    }
}

/// `use PATH::types::Error as V1;`
struct Alias {
    item: ItemUse,
    /// The path, without the new name.
    error: Path,
}

impl Alias {
    /// Returns the path of a function in the module of errors.
    fn beside_error(&self, function: &Ident) -> Path {
        let mut path = self.error.clone();
        path.segments.pop();
        path.segments.push(function.clone().into());
        path
    }

    /// Returns how many `super` the path has.
    fn ups(&self) -> usize {
        let segments = self.error.segments.iter();
        segments.filter(|segment| segment.ident == "super").count()
    }
}

fn alias(statement: &Stmt) -> Option<Alias> {
    let Stmt::Item(Item::Use(item)) = statement else {
        return None;
    };
    let mut names = Vec::new();
    let mut tree = &item.tree;
    while let UseTree::Path(path) = tree {
        names.push(path.ident.clone());
        tree = &path.tree;
    }
    let UseTree::Rename(renamed) = tree else {
        return None;
    };
    names.push(renamed.ident.clone());
    let end = names.get(names.len().checked_sub(TYPE.len())?..)?;
    (end == TYPE).then(|| Alias {
        item: item.clone(),
        error: parse_quote!(#(#names)::*),
    })
}

/// Returns where a lowering writes the number of the case: `*BASE.add(OFFSET).cast::<u8>() = …` in its first case.
fn destination(lowering: &ExprMatch) -> Option<(Ident, usize)> {
    let Expr::Block(first) = &*lowering.arms.first()?.body else {
        return None;
    };
    let Stmt::Expr(Expr::Assign(assignment), _) = first.block.stmts.first()? else {
        return None;
    };
    let Expr::Unary(place) = &*assignment.left else {
        return None;
    };
    let Expr::MethodCall(cast) = &*place.expr else {
        return None;
    };
    let Expr::MethodCall(add) = &*cast.receiver else {
        return None;
    };
    let Expr::Path(base) = &*add.receiver else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Int(offset),
        ..
    }) = add.args.first()?
    else {
        return None;
    };
    Some((base.path.get_ident()?.clone(), offset.base10_parse().ok()?))
}

/// Returns the types of the values that a lowering returns, by a case without a payload, whose values are all zero.
fn types(lowering: &ExprMatch) -> Option<Vec<Type>> {
    let bare = lowering
        .arms
        .iter()
        .find(|arm| matches!(arm.pat, Pat::Path(_)))?;
    let values = match &*bare.body {
        Expr::Tuple(values) => values,
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [Stmt::Expr(Expr::Tuple(values), None)] => values,
            _ => return None,
        },
        _ => return None,
    };
    values.elems.iter().map(type_of_zero).collect()
}

fn type_of_zero(value: &Expr) -> Option<Type> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => syn::parse_str(number.suffix()).ok(),
        Expr::Call(call) => match &*call.func {
            Expr::Path(function) if function.path.segments.last()?.ident == "null_mut" => {
                Some(parse_quote!(*mut u8))
            }
            Expr::Path(function) if function.path.segments.last()?.ident == "zeroed" => {
                Some(parse_quote!(::core::mem::MaybeUninit<u64>))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Returns the type of the memory that the caller frees after the call, by the call of its `new`.
fn cleanup(lowering: &ExprMatch) -> Option<Path> {
    #[derive(Default)]
    struct Search(Option<Path>);
    impl Visit<'_> for Search {
        fn visit_expr_path(&mut self, found: &ExprPath) {
            let mut path = found.path.clone();
            path.segments.pop();
            path.segments.pop_punct();
            if path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Cleanup")
            {
                self.0 = Some(path);
            }
        }
    }
    let mut search = Search::default();
    search.visit_expr_match(lowering);
    search.0
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;

    /// A module of errors, and two functions that lower one in each form.
    const SOURCE: &str = r"
        mod exports { mod asyncio { mod streams {
            mod types { pub enum Error { Closed, Other(u64) } }
            mod streams {
                unsafe fn read(ptr1: *mut u8, e: Error) {
                    use super::super::super::super::exports::asyncio::streams::types::Error as V7;
                    match e {
                        V7::Closed => { *ptr1.add(8).cast::<u8>() = (0i32) as u8; }
                        V7::Other(e) => { *ptr1.add(8).cast::<u8>() = (1i32) as u8; *ptr1.add(16).cast::<i64>() = e; }
                    };
                }
                unsafe fn write(ptr5: *mut u8, e: Error) {
                    use super::super::super::super::exports::asyncio::streams::types::Error as V9;
                    match e {
                        V9::Closed => { *ptr5.add(8).cast::<u8>() = (0i32) as u8; }
                        V9::Other(e) => { *ptr5.add(8).cast::<u8>() = (1i32) as u8; *ptr5.add(16).cast::<i64>() = e; }
                    }
                }
                async fn wait(e: &Error) {
                    let mut cleanup_list = Vec::new();
                    use super::super::super::super::exports::asyncio::streams::types::Error as V3;
                    let (result4_0, result4_1, result4_2) = match e {
                        V3::Closed => (0i32, ::core::mem::MaybeUninit::<u64>::zeroed(), ::core::ptr::null_mut()),
                        V3::Other(e) => { cleanup_list.extend(runtime::Cleanup::new(e)); (1i32, e, e) }
                    };
                    done(result4_0, result4_1, result4_2);
                }
                async fn drain(e: &Error) {
                    let mut cleanup_list = Vec::new();
                    use super::super::super::super::exports::asyncio::streams::types::Error as V3;
                    let (result8_0, result8_1, result8_2) = match e {
                        V3::Closed => (0i32, ::core::mem::MaybeUninit::<u64>::zeroed(), ::core::ptr::null_mut()),
                        V3::Other(e) => { cleanup_list.extend(runtime::Cleanup::new(e)); (1i32, e, e) }
                    };
                    done(result8_0, result8_1, result8_2);
                }
            }
        } } }
    ";

    /// Returns the changed source without spaces, and the number of places.
    fn share(source: &str) -> (String, usize) {
        let (shared, places) = errors(source).unwrap();
        let mut text = shared.to_token_stream().to_string();
        text.retain(|letter| !letter.is_whitespace());
        (text, places)
    }

    #[test]
    fn each_form_has_one_function() {
        let (shared, places) = share(SOURCE);
        assert_eq!(places, 4);
        for (text, times) in [
            ("Closed=>", 2),
            ("pubunsafefnlower_error_at_8(", 1),
            ("pubunsafefnlower_error(", 1),
            ("types::lower_error_at_8(e,ptr1);", 1),
            ("types::lower_error_at_8(e,ptr5);", 1),
            ("cleanup_list:&mutVec<runtime::Cleanup>", 1),
            (")->(i32,::core::mem::MaybeUninit<u64>,*mutu8)", 1),
            ("let(result4_0,result4_1,result4_2)=super", 1),
        ] {
            assert_eq!(shared.matches(text).count(), times, "{text} in {shared}");
        }
    }

    #[test]
    fn other_code_stays() {
        let source = SOURCE.replace("types::Error as", "types::Address as");
        assert_eq!(share(&source).1, 0);
    }

    #[test]
    fn a_place_elsewhere_calls_the_same_function() {
        let elsewhere = r"
            mod wit_future { unsafe fn lower(ptr0: *mut u8, e: E) {
                use super::exports::asyncio::streams::types::Error as V1;
                match e { V1::Closed => { *ptr0.add(8).cast::<u8>() = (0i32) as u8; } }
            } }
        ";
        let (shared, places) = share(&format!("{elsewhere}{SOURCE}"));
        assert_eq!(places, 5);
        let call = "{super::exports::asyncio::streams::types::lower_error_at_8(e,ptr0);}";
        assert_eq!(shared.matches(call).count(), 1, "{shared}");
    }
}
