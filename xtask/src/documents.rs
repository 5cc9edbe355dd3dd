//! Links between the documents: each file that one names exists, and each heading.
