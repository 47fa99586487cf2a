"""How is the file in an upload found? The body itself, or the first file of a multipart form; always as a stream."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from domain.errors import InvalidInput

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_PART_HEADERS = 16


class FileForm:
    """A multipart body, read as it comes: what stands before the file is passed over, what follows it is refused."""

    def __init__(self, boundary: bytes) -> None:
        callbacks: dict[str, object] = {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }
        self._parser = MultipartParser(boundary, cast("MultipartCallbacks", callbacks))
        self._field = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._is_file = False
        self._found: list[bytes] = []
        self.file_name: str | None = None
        self.is_complete = False

    def feed(self, chunk: bytes) -> bytes:
        """What of the file is in this chunk of the body."""
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise InvalidInput(message=f"the multipart body cannot be read: {error}") from error
        found, self._found = b"".join(self._found), []
        return found

    def _on_part_begin(self) -> None:
        self._headers, self._is_file = {}, False

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if len(self._headers) >= MAX_PART_HEADERS:
            raise InvalidInput(message="a part has too many headers")
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"filename")
        if name is None:
            return
        if self.file_name is not None:
            raise InvalidInput(message="send one file a request")
        self.file_name, self._is_file = name.decode("utf-8", "replace"), True

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._found.append(data[start:end])

    def _on_end(self) -> None:
        self.is_complete = True


class Upload:
    """A request's file: its name, known once the first bytes are there, and its bytes."""

    def __init__(self, request: Request) -> None:
        self._request = request
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        self._form = None
        if kind == b"multipart/form-data":
            boundary = options.get(b"boundary")
            if not boundary:
                raise InvalidInput(message="the multipart body names no boundary")
            self._form = FileForm(boundary)
        self._given_name = request.query_params.get("fileName")

    @property
    def file_name(self) -> str:
        """`?fileName=` goes before the name in the form."""
        found = self._given_name or (self._form.file_name if self._form is not None else None)
        if not found:
            raise InvalidInput(message="name the file: `?fileName=` or in the form", path=("fileName",))
        return found

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file's bytes as they come."""
        async for chunk in self._request.stream():
            data = chunk if self._form is None else self._form.feed(chunk)
            if data:
                yield data
        if self._form is not None and (self._form.file_name is None or not self._form.is_complete):
            raise InvalidInput(message="the multipart body has no whole file")
