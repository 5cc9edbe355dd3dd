"""A package like installed ones: its modules have effects when they are imported, and when they are called."""
