"""Differences between stored and reproduced scores, narrow enough to be read in a terminal."""

import pandas as pd


def differences_for_people(differences: pd.DataFrame) -> pd.DataFrame:
    """The rows of `Reproduction.differences` with the columns week, account, stored, known, arr, because."""
    shown = differences[["week", "account"]].copy()
    for name in ("stored", "known"):
        words = zip(differences[f"{name}_score"], differences[f"{name}_band"], strict=True)
        shown[name] = [f"{score:.1f} {band}" if pd.notna(score) else "no score" for score, band in words]
    return shown.assign(arr=differences["arr"].round(), because=differences["because"])
