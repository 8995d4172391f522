"""Partial rewards of a query against a reference: which schema items it uses, which token pairs it shares.

Source: Reasoning-SQL (arXiv:2503.23157, section 3.2): schema linking and n-gram similarity as Jaccard indices.
"""

from __future__ import annotations

LONGEST = 20_000


def split(text: str) -> list[str]:
    """Returns the statements of a text; a semicolon inside quotes ends none.

    Raises:
        ValueError: the text is no sequence of SQL tokens.
    """
    import sqlglot
    from sqlglot import TokenType
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(text, read="sqlite")
    except (SqlglotError, RecursionError) as error:
        raise ValueError(f"the query cannot be read: {error}") from error
    ends = [token.start for token in tokens if token.token_type == TokenType.SEMICOLON]
    starts = [0, *(end + 1 for end in ends)]
    parts = [text[start:end].strip() for start, end in zip(starts, [*ends, len(text)], strict=True)]
    return [part for part in parts if part]


def ordered(query: str) -> bool:
    """Says whether a query asks for an order of its rows."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(query, read="sqlite")
    except (SqlglotError, RecursionError):
        return "order by" in query.rsplit(")", 1)[-1].lower()
    return tree.args.get("order") is not None


def schema_linking(query: str, gold: str) -> float:
    """Returns the Jaccard index of the tables and columns that two queries name; 0 where either cannot be read.

    >>> schema_linking("SELECT name FROM author", "SELECT a.name, a.aid FROM author AS a")
    0.6666666666666666
    """
    left, right = _items(query), _items(gold)
    return _jaccard(left, right) if left and right else 0.0


def ngrams(query: str, gold: str, n: int = 2) -> float:
    """Returns the Jaccard index of the token n-grams of two queries.

    >>> ngrams("SELECT name FROM author", "select name from writes")
    0.5
    """
    return _jaccard(_grams(query, n), _grams(gold, n))


def _jaccard(left: set[object], right: set[object]) -> float:
    return len(left & right) / len(left | right) if left | right else 0.0


def _items(query: str) -> set[object]:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(query, read="sqlite") if len(query) <= LONGEST else None
        if tree is None:
            return set()
        made = {table.alias_or_name.lower() for table in tree.find_all(exp.CTE)}
        tables = {("table", table.name.lower()) for table in tree.find_all(exp.Table)}
        columns = {("column", column.name.lower()) for column in tree.find_all(exp.Column)}
    except (SqlglotError, RecursionError):
        return set()
    return {item for item in tables if item[1] not in made} | columns


def _grams(query: str, n: int) -> set[object]:
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        words = [token.text.lower() for token in sqlglot.tokenize(query[:LONGEST], read="sqlite") if token.text != ";"]
    except (SqlglotError, RecursionError):
        words = query[:LONGEST].lower().split()
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}
