"""Counts how often workflows are asked."""

from temporalio.client import Client, Interceptor, OutboundInterceptor, QueryWorkflowInput


class QueryCounter(Interceptor):
    """Counts the queries of one client, of any name."""

    def __init__(self) -> None:
        self.queries = 0

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        return _CountingOutbound(next, self)

    def watch(self, client: Client) -> Client:
        """Return a client of the same server whose queries are counted."""
        config = client.config()
        config["interceptors"] = [self]
        return Client(**config)


class _CountingOutbound(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, counter: QueryCounter) -> None:
        super().__init__(following)
        self._counter = counter

    async def query_workflow(self, input: QueryWorkflowInput) -> object:  # noqa: A002
        self._counter.queries += 1
        return await super().query_workflow(input)
