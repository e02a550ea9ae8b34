"""How the miniature models are trained: `python -m retrievals_pipeline.miniature.train embedder`.

The forward is serving's own (`Body`), so what is trained is what is served. Paintings come from a
seed that is no museum's, sentences from forms that are not those of the quality bench.
"""
