"""The lexical judge: no model, an estimate from overlap and wording."""
