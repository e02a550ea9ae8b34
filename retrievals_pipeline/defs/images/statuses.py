"""What can become of the picture of a work, in the words of the ledger."""

OK = "ok"
FAILURES = {
    "not_found": "the museum knows no such picture",
    "gone": "the museum had the picture and has it no more",
    "forbidden": "the museum refuses to show it",
    "restricted": "the museum's robots.txt asks not to fetch it",
    "refused": "an answer that no picture follows: another status, too many redirects",
    "not_an_image": "something else than a picture came",
    "truncated": "a picture that cannot be decoded to its end",
    "too_large": "more bytes or pixels than are taken",
    "out_of_memory": "too little memory was left to decode it",
    "timeout": "no whole answer in time",
    "unreachable": "no connection, or one that broke; a file that cannot be read",
    "throttled": "the museum asked again and again to be asked less",
    "server_error": "the museum's server failed",
}
