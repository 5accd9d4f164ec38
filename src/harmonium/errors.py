"""The errors a user may meet: one sentence each, naming the argument, its value and the mend."""


class HarmoniumError(Exception):
    """Any failure that harmonium explains itself; the command line prints it without a traceback."""

    exit_code = 1


class InputError(HarmoniumError, ValueError):
    """An argument, an option or the data cannot be used as they are."""

    exit_code = 2


class ValueRefusedError(InputError):
    """A raw value that the units do not take; `where` says which, as the beginning of a sentence."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where} {why}")
        self.where = where


class DivergedError(HarmoniumError, ArithmeticError):
    """Training has left the region of finite, meaningful parameters."""

    exit_code = 3


class StoppedError(HarmoniumError):
    """A run was interrupted by a signal; its folder holds what resuming needs."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


class Interrupted(KeyboardInterrupt):
    """A signal, Ctrl-C or termination, at a moment when nothing has to be finished first."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"signal {signal_number}")
        self.signal_number = signal_number
