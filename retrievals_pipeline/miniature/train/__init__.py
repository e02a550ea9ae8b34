"""How the miniature models are trained: `python -m retrievals_pipeline.miniature.train embedder`.

The embedder's forward is serving's own (`Body`). The reranker is trained in parts, through
serving's layers put together for each; its figures are taken of the whole. Paintings come from a
seed that is no museum's. Sentences share words and grammar with the quality bench, and no frame.
Training calls the body without `holding_device`, which forbids gradients and keeps other threads
away: here there are none.
"""
