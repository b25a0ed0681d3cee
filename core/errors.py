"""The errors whose text is shown to the person at the screen as it is."""


class RiffError(Exception):
    """Something the user can mend; the message is one plain sentence that says what is wrong and what to do."""


class ClipError(RiffError):
    """A clip or action that cannot be read or trained on."""


class ModelError(RiffError):
    """A model file that cannot be read, written or used with this rig."""


class TrainingStopped(RiffError):
    """The training ended because it was asked to."""


class JobError(RiffError):
    """A job folder that cannot be read, written or worked on."""
