import selectors

from config import Settings
from jobs.worker.wake import WakeSocket, wake


def is_awake(end):
    # a process of many tests has more files than select() knows
    with selectors.DefaultSelector() as selector:
        selector.register(end, selectors.EVENT_READ)
        return bool(selector.select(0))


def test_wake_reaches_every_worker_of_the_host(settings):
    first, second = WakeSocket(settings, "1-a"), WakeSocket(settings, "2-b")
    try:
        assert not is_awake(first)
        wake(settings)
        wake(settings)
        assert is_awake(first)
        assert is_awake(second)
        first.drain()
        assert not is_awake(first)
    finally:
        first.close()
        second.close()


def test_a_folder_may_be_deeper_than_the_path_of_a_socket_may_be_long(tmp_path):
    deep = Settings(data_dir=tmp_path / ("long" * 30) / ("name" * 30))
    deep.prepare()
    end = WakeSocket(deep, "1-a")
    try:
        wake(deep)
        assert is_awake(end)
    finally:
        end.close()


def test_wake_never_raises_without_workers_or_folder(settings, tmp_path):
    wake(settings)
    wake(Settings(data_dir=tmp_path / "nowhere"))


def test_the_socket_of_a_killed_worker_is_cleared_away(settings):
    end = WakeSocket(settings, "1-a")
    end.close_copy()  # as the kernel does for a process that was killed: closed, but the name stays
    assert [path.name for path in (settings.data_dir / "run").iterdir()] == ["1-a.sock"]
    wake(settings)
    assert list((settings.data_dir / "run").iterdir()) == []


def test_wake_never_blocks_when_a_worker_is_busy(settings):
    end = WakeSocket(settings, "1-a")
    try:
        for _ in range(2000):  # more than the socket's buffer holds
            wake(settings)
        assert is_awake(end)
    finally:
        end.close()
