"""Progress bars for searches, runs and studies, by scikit-learn's callback API."""

from queue import Empty, Queue
from threading import Thread

from sklearn.callback import ProgressBar as _SklearnProgressBar

from skal._extras import install_hint
from skal._sklearn import close_listener, get_context_path, open_listener, send
from skal.utils._bars import Bar
from skal.utils._display import MANY, Log, Notebook, Screen

__all__ = ["ProgressBar"]

# The monitor of each run in progress, by the id of its root context.
_monitors: dict = {}


class ProgressBar(_SklearnProgressBar):
    """Show nested progress bars: seeds, rounds, search steps.

    Like `sklearn.callback.ProgressBar`, but each bar also shows what its last step
    reported: the score of a round; the best quality and the acceptance rate of a
    search. Jobs in other processes report to the same bars. If a bar has more than 20
    steps, the bars of finished steps are removed.

    In a notebook the bars are a single output below the cell, which is updated in place
    and needs no widgets. If the output is neither a notebook nor a terminal, for
    example a file, plain lines are printed: one for each tenth of the run and of each
    search, and one for each finished task.

    Parameters
    ----------
    max_propagation_depth : int or None, default=None
        Number of levels of nested estimators that show bars; None shows all levels.
    costs : dict of str to float, default=None
        The cost of each step of the first bar, by its name and in any unit. By default
        the cost of a run is the number of trainings that it is expected to take.

    See Also
    --------
    skal.oracle.read_journal : The steps of a search that is running elsewhere.

    Notes
    -----
    Needs rich: ``pip install 'skal-learn[progress]'``.

    A bar advances by the expected cost of its steps. In a study or a learner, the cost
    of a search is the number of trainings that it takes. Steps that were already done
    when a study was resumed are not counted in the estimate of the remaining time.

    The bar of a search advances by the limit that will end the search first: the
    number of trainings that its steps are expected to take, `max_trainings`, or
    `max_time`. It moves from the first training on, since the search for the first
    order is part of the search. After that training the bar shows about how many
    trainings there will be, and how long one takes; if trainings run in parallel, this
    is the time between the ends of two trainings. The share of accepted steps is the
    mean of `history_["accepted"]`. A search is "level" if its best order was found more
    than a quarter of all trainings ago, and more than 10 K trainings ago. For a search
    that is not guided, which starts at a high temperature, this holds only after a
    quarter of its annealing steps. The number that is shown counts the trainings since
    the best order was found.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import ActiveLearner, AnnealingOracle
    >>> from skal.utils.progress import ProgressBar
    >>> learner = ActiveLearner(LogisticRegression(), AnnealingOracle())
    >>> learner = learner.set_callbacks(ProgressBar())
    """

    def __init__(self, max_propagation_depth=None, costs=None):
        try:
            super().__init__(max_propagation_depth=max_propagation_depth)
        except ImportError as error:
            raise ImportError(
                f"ProgressBar needs rich: {install_hint('progress')}."
            ) from error
        self.costs = costs

    def setup(self, estimator, context):
        """Open the bars of a run.

        Parameters
        ----------
        estimator : estimator
            The estimator that was called.
        context : CallbackContext
            The root context of the run.
        """
        monitor = _Monitor(self.costs)
        self._listener_handles[context.root_uuid] = open_listener(monitor.queue.put)
        _monitors[context.root_uuid] = monitor
        monitor.start()

    def on_fit_task_begin(self, estimator, context, *, metadata=None):
        """Show the bar of a task that has subtasks.

        Parameters
        ----------
        estimator : estimator
            The estimator that runs the task.
        context : CallbackContext
            The context of the task.
        metadata : dict, default=None
            Its entry "costs" holds the costs of subtasks by name.
        """
        is_merged = context.source_estimator_name is not None
        if context.max_subtasks == 0 and context.parent is not None and not is_merged:
            return
        self._send(
            context,
            event="begin",
            label=f"{context.estimator_name}: {_name(context)}",
            name=_name(context),
            total=context.max_subtasks,
            costs=(metadata or {}).get("costs", {}),
        )

    def on_progress(self, context, report):
        """Show the progress within a task.

        Parameters
        ----------
        context : CallbackContext
            The context of the task.
        report : dict
            The values to show, and the share of the task that is done.
        """
        self._send(context, event="progress", report=report)

    def on_fit_task_end(self, estimator, context, *, metadata=None):
        """Advance the bar of the parent task, and show the values of this one.

        Parameters
        ----------
        estimator : estimator
            The estimator that ran the task.
        context : CallbackContext
            The context of the task.
        metadata : dict, default=None
            The values to show, such as "score".
        """
        name = context.task_name
        self._send(context, event="end", name=name, report=metadata or {})

    def _send(self, context, **message):
        """Send a message to the monitor, which may be in another process."""
        path = tuple(ctx.task_id for ctx in get_context_path(context))
        send(self._listener_handles[context.root_uuid], message | {"path": path})

    def teardown(self, estimator, context):
        """Close the bars of a run.

        Parameters
        ----------
        estimator : estimator
            The estimator that was called.
        context : CallbackContext
            The root context of the run.
        """
        monitor = _monitors.pop(context.root_uuid)
        monitor.queue.put(None)
        monitor.join()
        close_listener(self._listener_handles.pop(context.root_uuid))


def _name(context):
    return context.source_task_name or context.task_name


class _Monitor(Thread):
    """Thread that updates and shows the bars, by messages from a queue.

    scikit-learn's own monitor sums over all finished steps at each step. A search has
    thousands of steps, so this one keeps running totals.

    Parameters
    ----------
    costs : dict of str to float, default=None
        Costs of the subtasks of the first bar; None takes them from its message.
    """

    def __init__(self, costs=None):
        super().__init__(daemon=True)
        self.queue = Queue()
        self.costs, self.bars = costs, {}

    def run(self):
        from rich import progress

        console = progress.get_console()
        if console.is_jupyter:
            display = Notebook(console)
        else:
            display = (Screen if console.is_terminal else Log)(console)
        with display as self.display:
            while message := self._next_message():
                getattr(self, f"_{message['event']}")(message)

    def _next_message(self):
        """Return the next message; meanwhile, let the display show the time."""
        while True:
            try:
                return self.queue.get(timeout=self.display.pause)
            except Empty:
                self.display.tick()

    def _begin(self, message):
        path = message["path"]
        if len(path) == 1 and self.costs is not None:
            message["costs"] = self.costs
        self.bars[path] = bar = Bar(message, self.bars.get(path[:-1]))
        self.display.begin(bar)

    def _progress(self, message):
        if message["path"] in self.bars:
            bar = self.bars[message["path"]]
            bar.hear(message["report"])
            self.display.show(bar)

    def _end(self, message):
        path, report = message["path"], message["report"]
        bar, above = self.bars.get(path), self.bars.get(path[:-1])
        if bar is not None:
            bar.end()
            bar.say(report)
            self.display.end(bar)
        if above is None:
            return
        self._remove_below(path)
        above.hear(report)
        if "share" not in report:
            above.n_done += 1
            if bar is None:
                above.advance(message["name"], 1)
            if bar is None and not report:
                # A step that was done before a resume: its time says nothing about
                # the time of other steps.
                above.rest()
        self.display.show(above)
        if bar is not None and (above.total or 0) > MANY:
            self.display.remove(self.bars.pop(path))

    def _remove_below(self, path):
        """Remove the bars of all tasks within a task."""
        for other in [one for one in self.bars if one[: len(path)] == path != one]:
            self.display.remove(self.bars.pop(other))
