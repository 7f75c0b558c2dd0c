"""What of a guide has to be as it was seen, and what may differ."""

from __future__ import annotations

import pytest

from tests.guide.blocks import steps, with_shown
from tests.guide.likeness import alike, printable, strange

GUIDE = """\
```sh
ttdn-agent run   # no
# a remark
```

Words.

```sh
ttdn-agent status
```

```text
old
```

```text
of nothing
```
"""


def test_steps_in_their_order() -> None:
    first, second = steps(GUIDE)
    assert first.commands == ("ttdn-agent run   # no",)
    assert (first.shown, second.commands, second.shown) == (None, ("ttdn-agent status",), "old\n")
    assert "```text\nnew\n```" in with_shown(GUIDE, ["not shown", "new\n"])
    assert with_shown(GUIDE, [None, None]) == GUIDE


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        (
            "[ĐẠT]  Biên nhận: máy chủ trả lời cách đây 2 giây, đi về 46 ms",
            "[ĐẠT]  Biên nhận: máy chủ trả lời cách đây 9 giây, đi về 8 ms",
        ),
        ("Biên nhận  cách đây 5 giây", "Biên nhận  cách đây 2 phút"),
        ("k1\nABCDE-FGHJK-00000-11111-22222", "k1\n█▀▄ ▄▀█\n55555-FGHJK-00000-33333-22222"),
        ("Tất cả đều đạt.", "[CẢNH BÁO]  Nguồn điện: yếu\n            -> Dây.\n16 đạt, 1 cảnh báo, 0 lỗi"),
    ],
)
def test_alike(shown: str, seen: str) -> None:
    assert alike(shown, seen)


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        ("[ĐẠT]       Dữ liệu mất: không có", "[LỖI]       Dữ liệu mất: không có"),
        ("thiết bị k1", "thiet bi k1"),
        ("[ĐẠT]  Dữ liệu mất: không có\n[ĐẠT]  Cấu hình: x, tệp y", "[ĐẠT]  Dữ liệu mất: không có"),
    ],
)
def test_not_alike(shown: str, seen: str) -> None:
    assert not alike(shown, seen)


def test_what_no_doctor_says_is_found_also_of_a_machine_that_is_not_here() -> None:
    assert strange("[ĐẠT]       SIM và sóng: sóng 68 % (lte)") == []
    assert strange("[ĐẠT]       SIM và sóng: sóng rất khỏe") == ["[ĐẠT]       SIM và sóng: sóng rất khỏe"]


def test_a_code_in_blocks_is_not_printed() -> None:
    assert printable("k1\n█▀ ▄█\n██ ▀▀\nend\n\nmore  \n") == "k1\n  [ QR ]\nend\n\nmore\n"
