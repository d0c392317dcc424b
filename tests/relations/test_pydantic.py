"""Relations of pydantic models, and between these and Models."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import weakref

import pytest
from pydantic import BaseModel

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    Model,
    RelationError,
    SchemaError,
    ToMany,
    ToOne,
    many_to_one,
    one_to_many,
    partition_key,
)
from dynawire.pydantic import PydanticModel


class Team(PydanticModel, table="teams"):
    name: str = partition_key()
    players: ToMany[Player] = one_to_many(index="by_team", back="team", cascade=("save", "delete"))
    ground: ToOne[Ground] = many_to_one("ground_id", cascade="save")
    ground_id: str | None = None


class Player(PydanticModel, table="players"):
    id: int = partition_key()
    team_name: str
    team: ToOne[Team] = many_to_one("team_name", back="players")
    by_team = GlobalIndex("team_name", "id")


class Ground(Model, table="grounds"):
    id: Attr[str] = partition_key()
    teams: ToMany[Team] = one_to_many(query=lambda ground: Team.scan(ground_id=ground.id))


def test_everything_works_as_with_models() -> None:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(Team, Player, Ground)
        team = Team(name="A")
        team.ground = Ground(id="g")
        team.players.append(Player(id=1, team_name=""), Player(id=2, team_name=""))
        team.save()
        assert [player.id for player in Team.get_one("A").players] == [1, 2]
        found = Player.scan().with_(Player.team.with_(Team.ground)).all()
        assert found[0].team.value is found[1].team.value
        assert found[0].team.value.ground.value.id == "g"
        assert [one.name for one in Ground.get_one("g").teams] == ["A"]
        with pytest.raises(RelationError, match=r"Player\.team leads to Team, not Ground"):
            found[0].team = Ground(id="x")  # type: ignore[assignment]
        found[0].team = Team(name="B")
        assert (found[0].team_name, found[0].team.value.name) == ("B", "B")
        with pytest.raises(ValueError, match="no field"):
            found[0].nothing = 1  # type: ignore[attr-defined]
        team.delete()
        assert (Team.scan().count(), Player.scan().count(), Ground.scan().count()) == (0, 0, 1)


def test_no_part_of_the_model() -> None:
    player = Player(id=1, team_name="A")
    player.team = Team(name="A")
    assert json.loads(player.model_dump_json()) == {"id": 1, "team_name": "A"}
    assert set(Player.model_fields) == {"id", "team_name"}
    for twin in (copy.copy(player), copy.deepcopy(player), pickle.loads(pickle.dumps(player)), player.model_copy()):
        assert twin == player
        assert repr(twin) == repr(player)
    assert not copy.copy(player).team.is_loaded
    reference = weakref.ref(player)
    player.team.value.players.append(player)
    del player, twin
    gc.collect()
    assert reference() is None


def test_told_when_made() -> None:
    with pytest.raises(SchemaError, match=r"Wrong: team is a relation, but the class has no table"):

        class Wrong(PydanticModel):
            team: ToOne[Team] = many_to_one("x")

    with pytest.raises(SchemaError, match=r"the relation query has the name of a method"):

        class Wrong(PydanticModel, table="wrong"):  # type: ignore[no-redef]
            id: str = partition_key()
            query: ToOne[Team] = many_to_one("id")  # type: ignore[assignment]

    with pytest.raises(SchemaError, match=r"Wrong\.team names the attribute 'idd', which Wrong does not have; did you"):

        class Wrong(PydanticModel, table="wrong"):  # type: ignore[no-redef]
            id: str = partition_key()
            team: ToOne[Team] = many_to_one("idd")

    with pytest.raises(SchemaError, match=r"Wrong: the relation teams is annotated ToMany.*write teams: ToOne"):

        class Wrong(PydanticModel, table="wrong"):  # type: ignore[no-redef]
            id: str = partition_key()
            teams: ToMany[Team] = many_to_one("id")


def test_told_when_used_of_a_class_that_is_not_complete() -> None:
    class Wrong(PydanticModel, table="wrong"):
        id: str = partition_key()
        later: Later | None = None
        team: ToOne[Team] = many_to_one("idd")

    class Later(BaseModel):
        x: int = 0

    Wrong.model_rebuild()
    with pytest.raises(SchemaError, match=r"Wrong\.team names the attribute 'idd', which Wrong does not have"):
        Wrong.key("1")
