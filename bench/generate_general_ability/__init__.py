"""The general-ability probe: does a small model still know what it knew before fine-tuning?

`python -m bench.generate_general_ability --out recipes/benchmarks/general_ability.jsonl` writes items
that are scored by the log-likelihood of each choice, so no text is generated and no answer parsed.
Three kinds: `minimal_pair` (a grammatical sentence and its ungrammatical twin), `cloze` (the last word
of a short passage) and `choice` (the ending that common sense picks).

Most items were written by hand and live in `tables/<kind>/<group>.txt`; a few groups are drawn by a
seeded generator from small lexicons (`agreement`, `recall`). `assembly` puts both
together, numbers them and balances the gold positions. The same seed gives the same bytes.
"""
