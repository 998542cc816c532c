"""How a run can be laid out: ranks, threads, blocks, tiles, overlap, blocks that change hands every
other step; samples of the combinations."""
import itertools

RANKS, THREADS = (1, 2, 3, 4, 6, 8), (1, 2, 3)
BLOCKS = ("one", "many", "first axis", "mixed")
TILES = ("7x3x2", "24x5x4")
OVERLAP = (True, False)
MOVES = (True, False)
FACTORS = (RANKS, THREADS, BLOCKS, TILES, OVERLAP, MOVES)


class Layout:
    def __init__(self, ranks=1, threads=1, blocks="one", tile="auto", overlap=True, moves=False):
        self.ranks, self.threads, self.blocks = ranks, threads, blocks
        self.tile, self.overlap, self.moves = tile, overlap, moves

    def __str__(self):
        return (f"{self.ranks} rank{'s' * (self.ranks > 1)} x {self.threads} "
                f"thread{'s' * (self.threads > 1)}, blocks {self.blocks}, tile {self.tile}, "
                f"overlap {'on' if self.overlap else 'off'}, "
                f"blocks {'move' if self.moves else 'stay'}")

    def balance(self):
        return {"parallel.balance_every": 2, "parallel.balance_threshold": 1} if self.moves else \
            {"parallel.balance_every": "never"}

    def keys(self, cells):
        """[parallel] keys for a grid of the shape `cells`."""
        k = {"parallel.tile": self.tile, "parallel.overlap": "yes" if self.overlap else "no",
             **self.balance()}
        if self.blocks == "one":
            return k | {"parallel.blocks": 1}
        if self.blocks == "many":  # fewer where the grid would not have a cell for each
            most = max(1, (cells[0] * (cells[1] if len(cells) > 1 else 1)) // (4 * self.ranks))
            return k | {"parallel.blocks": min(3, most)}
        return k | {"parallel.block_grid": "x".join(map(str, self.block_grid(cells)))}

    def of_particles(self, most):
        """This layout for a box that no more than `most` ranks can share."""
        return Layout(min(self.ranks, most), self.threads, self.blocks, self.tile, True, self.moves)

    def keys_of_particles(self, model):
        """How the lists of pairs are made must not matter either."""
        return {"parallel.blocks": {"one": 1, "many": 3, "first axis": 2, "mixed": 5}[self.blocks],
                f"{model}.skin": {"auto": 0.3, "7x3x2": 0.05, "24x5x4": 0.8}[self.tile],
                **self.balance()}

    def block_grid(self, cells):
        if self.blocks == "first axis" or len(cells) == 1:  # cut along longitude only
            blocks = self.ranks + (self.blocks != "first axis")
            return [min(cells[0], blocks)] + [1] * (len(cells) - 1)
        grid = [2, 2] + [1] * (len(cells) - 2)
        while grid[0] * grid[1] < self.ranks:  # as a rule not a multiple of the ranks
            grid[0 if grid[0] <= grid[1] else 1] += 1
        return [min(g, n) for g, n in zip(grid, cells)]


BASELINE = Layout()


def every():
    return [Layout(*values) for values in itertools.product(*FACTORS)]


def pairwise():
    """A short list in which each pair of values of two factors occurs: greedy, always the same."""
    def pairs(values):
        return set(itertools.combinations(enumerate(values), 2))

    rest = set().union(*(pairs(v) for v in itertools.product(*FACTORS)))
    chosen = []
    while rest:
        best = max(itertools.product(*FACTORS), key=lambda v: len(pairs(v) & rest))
        rest -= pairs(best)
        chosen.append(Layout(*best))
    return chosen
