"""The network of the Qwen3-VL family, in torch: the weights of its checkpoints, a forward of ours.

What makes it fast beside the one in transformers: pictures of a batch attend together, prompts are
padded on the right and need no mask, a beginning that all prompts share is computed once, of the
last layer only the last tokens are computed, and multiplications of the same states are one.

Each module is imported when a model is loaded, because torch takes seconds.
"""
