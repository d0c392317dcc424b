"""An error has the attributes of its kind and no others."""

import dynawire as dw
from dynawire.errors import DecodeError, DynawireError, ItemNotFound, ServiceError


def attributes(service: ServiceError, decode: DecodeError, missing: ItemNotFound) -> None:
    number: int = service.code  # error: assignment
    decode.request_id  # error: attr-defined
    path: str = decode.path  # error: assignment
    kind: DecodeError = missing  # error: assignment
    print(number, path, kind)


DynawireError()  # error: call-arg


def handler() -> None:
    try:
        dw.conect("memory:")  # error: attr-defined
    except dw.ItemNotFond:  # error: attr-defined
        pass
