//! Leaves the check of a resource's type out of release builds.
//!
//! wit-bindgen allows two types for one resource, and so each use of a resource checks that its type is the first one's. Each
//! resource of a face has one type.

use syn::visit_mut::{self, VisitMut};
use syn::{File, ImplItemFn, parse_quote};

/// Changes the checks in `file`. Returns how many there are.
pub(crate) fn only_debug(file: &mut File) -> usize {
    let mut guards = Guards(0);
    guards.visit_file_mut(file);
    guards.0
}

/// The number of checks.
struct Guards(usize);

impl VisitMut for Guards {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        if function.sig.ident == "type_guard" {
            let check = &function.block;
            function.block = parse_quote!({ if cfg!(debug_assertions) #check });
            self.0 += 1;
        }
        visit_mut::visit_impl_item_fn_mut(self, function);
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;

    #[test]
    fn a_check_is_for_debug_builds() {
        let mut file: File = parse_quote! {
            mod streams { impl Reader { fn type_guard<T>() { check::<T>(); } fn get() { use_it(); } } }
        };
        assert_eq!(only_debug(&mut file), 1);
        let expected: File = parse_quote! {
            mod streams {
                impl Reader {
                    fn type_guard<T>() { if cfg!(debug_assertions) { check::<T>(); } }
                    fn get() { use_it(); }
                }
            }
        };
        assert_eq!(
            file.to_token_stream().to_string(),
            expected.to_token_stream().to_string()
        );
    }
}
