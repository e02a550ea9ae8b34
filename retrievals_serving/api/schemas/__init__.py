"""The bodies of requests and answers, which `/openapi.json` and `docs/api.md` describe."""
