"""How is the audit log shown to auditors? Each entry as it was written, with the seal and the proof that it stands."""

from datetime import datetime
from typing import TypeAlias

import strawberry
from strawberry.scalars import JSON

from domain.alerts.events import ActorKind
from domain.audit import model
from domain.audit.model import AuditOutcome
from domain.audit.sealing import Seal
from domain.identity import model as identity
from graphql_api.audit.loaders import Proof, load_proofs, load_seals
from graphql_api.context import Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User

_Entry: TypeAlias = strawberry.Parent[model.RecordedEntry]
_Seal: TypeAlias = strawberry.Parent[Seal]
_Proof: TypeAlias = strawberry.Parent[Proof]

expose_enum(
    AuditOutcome,
    description="How an attempt ended.",
    values={
        AuditOutcome.DONE: "It was done.",
        AuditOutcome.REFUSED: "It was not allowed.",
        AuditOutcome.FAILED: "It was tried and failed: a wrong password, say.",
    },
)
expose_enum(
    ActorKind,
    description="Who acted.",
    values={
        ActorKind.USER: "A person.",
        ActorKind.SERVICE_ACCOUNT: "A service account, with its key.",
        ActorKind.INTEGRATION: "A monitoring tool, with its integration's key.",
        ActorKind.SYSTEM: "Tocsin itself, its command line, or somebody nobody knows.",
    },
)


def _key(root: _Seal) -> str:
    return root.key.hex()


def _root(root: _Seal) -> str:
    return root.root.hex()


def _previous(root: _Seal) -> str | None:
    return root.previous.hex() or None


def _hash(root: _Seal) -> str:
    return root.hash.hex()


def _signature(root: _Seal) -> str:
    return root.signature.hex()


def _content(root: _Seal) -> str:
    return root.content.decode()


@exposes(
    Seal, name="AuditSeal", description="What proves a run of entries: their root, signed, and chained to the last."
)
class AuditSeal:
    """See domain.audit.sealing.Seal."""

    number: int = strawberry.field(description="1, and one more with each seal.")
    first_row: int = strawberry.field(description="How many entries were sealed before it.")
    row_count: int = strawberry.field(description="How many entries it covers.")
    sealed_at: datetime = strawberry.field(description="When it was made.")
    root = strawberry.field(
        resolver=_root, description="Root of the Merkle tree over its entries (RFC 9162), in hexadecimal."
    )
    previous = strawberry.field(
        resolver=_previous, graphql_type=str | None, description="Hash of the seal before it; null for the first."
    )
    hash = strawberry.field(resolver=_hash, description="Its own hash, which the next seal holds.")
    key = strawberry.field(resolver=_key, description="The public Ed25519 key it is signed with, in hexadecimal.")
    signature = strawberry.field(resolver=_signature, description="The signature over `content`, in hexadecimal.")
    content = strawberry.field(resolver=_content, description="What is signed, to the byte (docs/audit.md).")


def _leaf(root: _Proof) -> str:
    return root.leaf.hex()


def _path(root: _Proof) -> list[str]:
    return [one.hex() for one in root.path]


@exposes(Proof, name="AuditProof", description="That an entry is among those of its seal, and is what it was then.")
class AuditProof:
    """See domain.audit.merkle."""

    place: int = strawberry.field(description="The entry's place among those of its seal, from 0.")
    row: str = strawberry.field(description="The entry as it is hashed, to the byte (docs/audit.md).")
    leaf = strawberry.field(resolver=_leaf, description="Its leaf hash, in hexadecimal.")
    path = strawberry.field(
        resolver=_path, description="The hashes that lead from the leaf to the seal's root, the lowest first."
    )
    is_valid: bool = strawberry.field(
        description="Whether they do lead there, from the entry as it stands now. `tocsin audit verify` checks all."
    )


async def _seal(root: _Entry, info: Info) -> Seal | None:
    return await info.context.loader(load_seals).load(root.place)


async def _proof(root: _Entry, info: Info) -> Proof | None:
    return await info.context.loader(load_proofs).load(root.id)


async def _user(root: _Entry, info: Info) -> identity.User | None:
    if root.actor_kind is not ActorKind.USER or root.actor_id is None:
        return None
    return await info.context.loader(load_users).load(root.actor_id)


@exposes(model.RecordedEntry, name="AuditEntry", description="One access or change, or one that was refused.")
class AuditEntry:
    """See domain.audit.model.AuditEntry."""

    id: strawberry.ID = strawberry.field(description="The entry's id.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    actor_kind: ActorKind = strawberry.field(description="Who acted.")
    actor_id: strawberry.ID | None = strawberry.field(description="The id of who acted; null for nobody known.")
    user = strawberry.field(
        resolver=_user,
        graphql_type=User | None,
        description="The person who acted, where it was one who is still known.",
    )
    session_id: strawberry.ID | None = strawberry.field(description="The session, or the API key, it was done with.")
    ip_address: str | None = strawberry.field(description="The address the request came from.")
    request_id: str | None = strawberry.field(description="The request, as the log and `X-Request-Id` name it.")
    action: str = strawberry.field(description="What was done or tried, as the API names it: `acknowledgeAlert`.")
    outcome: AuditOutcome = strawberry.field(description="How it ended.")
    target_kind: str | None = strawberry.field(description="What it was done to: `alert`, `user`, `integration`, …")
    target_id: strawberry.ID | None = strawberry.field(description="The id of what it was done to.")
    before: JSON | None = strawberry.field(description="What changed, as it was before.")
    after: JSON | None = strawberry.field(description="What changed, as it is after; for reads, what was read.")
    seal = strawberry.field(
        resolver=_seal, graphql_type=AuditSeal | None, description="The seal that covers it; null until it is sealed."
    )
    proof = strawberry.field(
        resolver=_proof,
        graphql_type=AuditProof | None,
        description="The proof that it is sealed as it is; null until then. Costs some milliseconds each.",
    )
