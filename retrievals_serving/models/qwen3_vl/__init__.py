"""The Qwen3-VL family: embedders, rerankers, and the network that both are.

contract  what vectors and scores depend on, read from a checkpoint's files
prompts   token ids of instructions, texts and places for pictures
pixels    pictures in the sizes that the vision tower takes
network   the weights and the forward: `vision` and `language`
body      prompts and network together: what is asked goes in, states come out
embedder  reranker
"""
