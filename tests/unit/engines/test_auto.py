"""ENGINE=auto: what is measured, what is broken off, and what is chosen by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
import torch

from tests.recordings import silence
from tests.unit.engines.auto_parts import FLOAT32, INT8, TEXT, TORCH, Machine, Speed
from voice_transcriber.engines.auto.choosing import differing_percent
from voice_transcriber.engines.auto.engine import BUDGET_S, MOST_S, budget_s
from voice_transcriber.engines.auto.measuring import Measuring
from voice_transcriber.engines.auto.records import Choice, DecoderPart, Figure, Parts
from voice_transcriber.engines.auto.trials import choose
from voice_transcriber.engines.encoders.installed import OPENVINO, OWN
from voice_transcriber.errors import EngineOutOfMemory, ModelDamaged

MANY = [DecoderPart(engine=f"engine-{number}", compute_type="int8") for number in range(5)]
ONE_OTHER_WORD = TEXT.replace("ten", "eleven")  # of ten: 10 %


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Choosing sets the count for torch."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def chosen(
    machine: Machine,
    parts: Parts | None = None,
    *,
    budget_s: float = 1000.0,
    is_urgent: Callable[[], bool] = lambda: False,
) -> tuple[Choice, dict[str, Figure]]:
    speech = [silence(10)] * 3
    measuring = Measuring(
        machine,
        speech,
        budget_s=budget_s,
        clock=machine.clock,
        thread_times=machine.thread_times,
        is_urgent=is_urgent,
    )
    choice, figures = choose(measuring, machine, parts or parts_of(machine))
    return choice, {figure.name: figure for figure in figures}


def parts_of(
    machine: Machine, *, encoders: Sequence[str] | None = None, threads: Sequence[int] = (1,)
) -> Parts:
    known = [OWN, *machine.encoders] if encoders is None else encoders
    return Parts(decoders=list(machine.decoders), encoders=known, threads=threads)


def test_encoder_and_decoder_are_chosen_apart_from_each_other() -> None:
    machine = Machine(
        {FLOAT32: Speed(), INT8: Speed(decode_s=0.6, encode_s=0.9), TORCH: Speed(encode_s=0.5)},
        {OPENVINO: Speed(encode_s=0.2)},
    )
    choice, figures = chosen(machine)
    assert (choice.decoder, choice.encoder) == (INT8, OPENVINO)
    assert figures[str(INT8)].decode_s == pytest.approx(0.6 * 3)  # 30 s of speech in 3 windows
    assert figures[str(INT8)].encode_s == pytest.approx(0.9)
    assert figures[OPENVINO].encode_s == pytest.approx(0.2)
    assert "faster-whisper int8 with the encoder openvino needs 2.00 s" in choice.reason
    assert "next" in choice.reason


def test_an_engines_own_encoder_goes_with_its_own_decoder_only() -> None:
    machine = Machine({FLOAT32: Speed(), INT8: Speed(decode_s=0.6), TORCH: Speed(encode_s=0.1)})
    choice, _ = chosen(machine)
    assert (choice.decoder, choice.encoder) == (INT8, OWN)  # 1 + 1.8 s, against 0.1 + 3 s


def test_what_is_far_slower_is_broken_off() -> None:
    slow = Speed(encode_s=20.0, decode_s=20.0)
    machine = Machine({FLOAT32: Speed(), TORCH: slow}, {OPENVINO: slow})
    choice, figures = chosen(machine)
    assert choice.decoder == FLOAT32
    assert machine.log.count(f"encode {TORCH}") == 1
    assert machine.log.count(f"decode {TORCH}") == 1
    assert machine.log.count(f"encode {OPENVINO}") == 1
    assert figures[str(TORCH)].decode_s is None
    assert "broken off: 20.0 times as slow" in (figures[str(TORCH)].note or "")


def test_what_writes_other_words_is_not_chosen() -> None:
    machine = Machine({FLOAT32: Speed(), INT8: Speed(decode_s=0.5, text=ONE_OTHER_WORD)})
    choice, figures = chosen(machine)
    assert choice.decoder == FLOAT32
    assert figures[str(INT8)].differing_percent == pytest.approx(10.0)
    assert figures[str(INT8)].note == "too many other words"


def test_an_encoder_whose_words_are_others_is_found_when_it_is_tried() -> None:
    machine = Machine(
        {FLOAT32: Speed()}, {OPENVINO: Speed(encode_s=0.1)}, text_with={OPENVINO: ONE_OTHER_WORD}
    )
    choice, _ = chosen(machine)
    assert (choice.decoder, choice.encoder) == (FLOAT32, OWN)
    assert "encoder openvino is faster and writes 10.0 % other words" in choice.reason


def test_an_encoder_that_was_asked_for_stays_whatever_it_writes() -> None:
    machine = Machine(
        {FLOAT32: Speed(), INT8: Speed(decode_s=0.5)},
        {OPENVINO: Speed(encode_s=0.1)},
        text_with={OPENVINO: ONE_OTHER_WORD},
    )
    choice, _ = chosen(machine, parts_of(machine, encoders=[OPENVINO]))
    assert (choice.decoder, choice.encoder) == (INT8, OPENVINO)


def test_what_cannot_be_loaded_is_left_out_with_the_reason() -> None:
    fault = EngineOutOfMemory("There is not enough memory for the model base.")
    machine = Machine({FLOAT32: Speed(fault=fault), INT8: Speed()}, {OPENVINO: Speed(fault=fault)})
    choice, figures = chosen(machine)
    assert choice.decoder == INT8
    assert figures[str(FLOAT32)].note == figures[OPENVINO].note == fault.message


def test_where_nothing_can_be_loaded_the_error_is_told() -> None:
    fault = EngineOutOfMemory("There is not enough memory for the model base.")
    machine = Machine({FLOAT32: Speed(fault=fault), INT8: Speed(fault=fault)})
    with pytest.raises(EngineOutOfMemory, match="base"):
        chosen(machine)


def test_a_damaged_file_is_told_at_once() -> None:
    machine = Machine({FLOAT32: Speed(fault=ModelDamaged("Damaged.")), INT8: Speed()})
    with pytest.raises(ModelDamaged):
        chosen(machine)
    assert machine.log == []


def test_time_for_measuring_ends() -> None:
    machine = Machine({FLOAT32: Speed(), **{part: Speed() for part in MANY}})
    choice, figures = chosen(machine, budget_s=8.0)  # each takes 13 s, so there are 39
    assert [name for name, one in figures.items() if one.note] == [str(part) for part in MANY[3:]]
    assert figures[str(MANY[3])].note == "not measured: the 39 s for measuring were over"
    assert choice.decoder in (FLOAT32, *MANY[:3])


def test_no_more_combinations_are_tried_when_the_time_is_over() -> None:
    """Figures take 23 of 21 s, and trials end after 31."""
    decoders = {part: Speed(decode_s=0.9) for part in MANY}
    machine = Machine(
        {FLOAT32: Speed(), **decoders},
        {OPENVINO: Speed(encode_s=0.9)},
        text_with={OPENVINO: ONE_OTHER_WORD},
    )
    parts = parts_of(machine, threads=(2, 1))
    choice, _ = chosen(machine, parts, budget_s=1.0)
    assert (choice.decoder, choice.encoder, choice.threads) == (MANY[0], OWN, 2)
    assert choice.reason.count("is faster and writes 10.0 % other words") == 2
    assert machine.log.count(f"encode {MANY[0]}") == 3 + 2  # by itself, and in one trial


def test_more_urgent_work_ends_measuring_for_now() -> None:
    machine = Machine({FLOAT32: Speed(), TORCH: Speed(), INT8: Speed()})
    choice, figures = chosen(machine, is_urgent=lambda: len(machine.log) > 1)
    assert (choice.decoder, choice.is_final, figures) == (INT8, False, {})
    assert choice.reason.startswith("More urgent work waited; ")
    assert len(machine.log) == 2


@pytest.mark.parametrize(("size", "seconds"), [(1, BUDGET_S), (3_090_000_000, MOST_S)])
def test_a_larger_model_has_more_time_but_not_without_end(size: int, seconds: float) -> None:
    assert budget_s(size) == seconds


@pytest.mark.parametrize("encoders", [[OWN], [OWN, OPENVINO]])
def test_on_a_busy_machine_the_usual_is_taken_for_now(encoders: list[str]) -> None:
    machine = Machine({FLOAT32: Speed(), TORCH: Speed(), INT8: Speed()}, waiting=3.0)
    choice, figures = chosen(machine, parts_of(machine, encoders=encoders))
    assert (choice.decoder, choice.encoder) == (INT8, encoders[-1])
    assert not choice.is_final
    assert not figures
    assert "too busy" in choice.reason
    assert len(machine.log) == 1


def test_where_nothing_is_left_to_choose_nothing_is_measured() -> None:
    machine = Machine({INT8: Speed()})
    choice, figures = chosen(machine)
    assert (choice.decoder, choice.encoder, choice.threads) == (INT8, OWN, 1)
    assert not figures
    assert machine.log == []


@pytest.mark.parametrize(("factor", "count"), [(0.5, 1), (0.99, 2)])
def test_other_threads_are_taken_where_they_are_worth_it(factor: float, count: int) -> None:
    machine = ThreadedMachine({FLOAT32: Speed(), INT8: Speed(decode_s=0.5)}, factor)
    choice, _ = chosen(machine, parts_of(machine, threads=(2, 1)))
    assert (choice.decoder, choice.threads) == (INT8, count)


class ThreadedMachine(Machine):
    """With one thread all takes `factor` of the time."""

    def __init__(self, decoders: dict[DecoderPart, Speed], factor: float) -> None:
        super().__init__(decoders)
        self._factor = factor

    def work(self, what: str, seconds: float) -> None:
        super().work(what, seconds * (self._factor if torch.get_num_threads() == 1 else 1.0))


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        (TEXT, 0.0),
        (TEXT.upper() + ".", 0.0),
        (ONE_OTHER_WORD, 10.0),
        (TEXT.removesuffix(" ten"), 10.0),
        (TEXT + " eleven twelve", 20.0),
        ("", 100.0),
    ],
)
def test_differing_words_are_counted(text: str, percent: float) -> None:
    assert differing_percent(TEXT, text) == pytest.approx(percent)
