"""What the scanner of `attribution/methods/` promises: a method is found because its file is there."""

from pathlib import Path

from explainer.attribution import methods


def test_every_file_with_a_method_is_found_in_the_order_of_the_ladder():
    """One method for each file that assigns METHOD, sorted by rung, each name once."""
    folder = Path(methods.__file__).parent
    files = [p.stem for p in folder.glob("*.py") if "\nMETHOD = " in p.read_text()]
    found = methods.found()
    assert len(found) == len(files)
    assert {type(method).__module__.rpartition(".")[2] for method in found} == set(files)
    assert [method.rung for method in found] == sorted(method.rung for method in found)
    assert {"linear", "exact", "permutation", "kernel"} <= {method.name for method in found}
