"""How the miniature models are trained: `python -m retrievals_pipeline.miniature.train embedder`.

The forward is serving's own (`Body`), so what is trained is what is served. Paintings come from a
seed that is no museum's. Sentences share words and grammar with the quality bench; their frames do
not. Training calls the body without `holding_device`, which forbids gradients and keeps other
threads away: here there are none.
"""
