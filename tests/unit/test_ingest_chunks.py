from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.ingest.chunks import read_chunks
from data.ingest.layout import read_layout
from data.ingest.text.layout_keys import TextKeys
from errors import ImportRejected


def test_a_file_is_read_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("data.ingest.text.text_rows._BLOCK_BYTES", 1 << 14)
    path = tmp_path / "big.csv"
    path.write_text("a,b\n" + "".join(f"{number},{number}\n" for number in range(400_000)))
    fractions, rows = [], 0
    for chunk in read_chunks(read_layout(path), ["b"], fractions.append):
        assert chunk.columns["b"][0].as_py() == str(rows)
        assert chunk.lines[0] == rows + 2
        assert len(chunk.lines) < 1 << 14
        rows += len(chunk.lines)
    assert rows == 400_000
    assert fractions[0] < 0.6
    assert fractions == sorted(fractions)


def test_lines_are_the_files_also_after_blank_and_ragged_ones(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text('x,y\n1,1\n\n1\n"a,b",2\n1,2,3\n1,1,1\n3,3\n')
    chunks = list(read_chunks(read_layout(path), ["y"]))
    assert [line for chunk in chunks for line in chunk.lines.tolist()] == [2, 3, 5, 8]
    assert [cell for chunk in chunks for cell in chunk.columns["y"].to_pylist()] == ["1", None, "2", "3"]
    assert sum(chunk.ragged.count for chunk in chunks if chunk.ragged) == 3


def test_ragged_rows_at_the_end_are_counted(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("x,y\n1,1\n1\n2")
    chunks = list(read_chunks(read_layout(path), ["y"]))
    assert [(chunk.ragged.count, chunk.ragged.line, chunk.cut) for chunk in chunks if chunk.ragged] == [(1, 3, True)]


def test_a_header_alone_has_no_rows(tmp_path):
    for text in ("x,y\n", "x,y"):
        path = tmp_path / "file.csv"
        path.write_text(text)
        assert [chunk for chunk in read_chunks(read_layout(path), ["x"]) if len(chunk.lines)] == []


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_mark_and_line_endings(tmp_path, mark, ending):
    path = tmp_path / "file.csv"
    path.write_bytes((mark + ending.join(["x,y", "1,2", "3,4"]) + ending).encode())
    layout = read_layout(path)
    assert layout.columns == ("x", "y")
    assert [cell for chunk in read_chunks(layout, ["y"]) for cell in chunk.columns["y"].to_pylist()] == ["2", "4"]


def test_other_encodings_and_rows_before_the_header(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes("station météo\n\ndate;température\n1;2,5\n".encode("latin-1"))
    with pytest.raises(ImportRejected, match="byte 9 is not utf-8 text; set encoding in the import profile"):
        read_layout(path)
    layout = read_layout(path, TextKeys(delimiter=";", encoding="latin-1", skip_rows=2))
    assert layout.columns == ("date", "température")
    assert [chunk.columns["température"].to_pylist() for chunk in read_chunks(layout, ["température"])] == [["2,5"]]


def test_a_wrong_byte_far_down_is_refused(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"x,y\n" + b"1,1\n" * 400_000 + b"1,\xe9\n")
    with pytest.raises(ImportRejected, match=r"file\.csv is damaged"):
        list(read_chunks(read_layout(path), ["y"]))


def test_parquet_gives_rows_by_number(tmp_path):
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"x": list(range(120_000)), "y": ["a"] * 120_000}), path)
    chunks = list(read_chunks(read_layout(path), ["x"]))
    assert [int(chunk.lines[0]) for chunk in chunks] == [1, 50_001, 100_001]
    assert chunks[2].columns["x"][0].as_py() == 100_000


def test_a_line_without_end_is_refused_in_words(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("x,y\n1," + "2" * (3 << 20) + "\n")
    with pytest.raises(ImportRejected, match="a line of more than 1 MB"):
        list(read_chunks(read_layout(path), ["x"]))


@pytest.mark.parametrize("begin", ["", '"TOA5",'])
def test_a_header_without_end_is_refused_in_words(tmp_path, begin):
    path = tmp_path / "file.csv"
    path.write_text(begin + "x" * (1 << 20))
    with pytest.raises(ImportRejected, match=r"line.* 1.* header"):
        read_layout(path)
