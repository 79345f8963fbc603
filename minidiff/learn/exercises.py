"""What judges an exercise whose answer is a number; formulas have md.check and md.equal."""


def near(answer, number, share=0.01):
    """The Verdict on a number worked by hand: right within 1 % of `number`, which was just measured."""
    from ..sheet.verdict import Verdict  # only now: importing the room loads no NumPy

    if answer is None:
        return Verdict("not understood", "put your number in the place of None")
    if abs(answer - number) <= share * abs(number):
        return Verdict("right", f"right: {number:.4g}")
    return Verdict("wrong", f"wrong: {answer:g} is not within {share:.0%}")
