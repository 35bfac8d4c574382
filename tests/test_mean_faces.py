import numpy as np
import pandas as pd
import pytest

from fer_lib import paths
from fer_lib.faces import Faces
from fer_lib.measures import mean_faces


def test_a_mean_of_enough_people_comes_back_and_one_of_few_is_never_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no .*mean_faces.csv.gz; run notebook 00_data on"):
        mean_faces.stored("ckplus")
    images = np.full((40, 48, 48), 10, np.uint8)
    images[:10], images[0, 5, 7] = 20, 120
    labels = np.array([0] * 10 + [1] * 10 + [2] * 20)
    # Ten people; nine; a set that does not know its people, but has ten frames.
    subjects = [f"S{i}" for i in range(10)] + [f"S{max(i, 1)}" for i in range(10)] + [""] * 20
    frames = pd.DataFrame({"frame_id": [f"{i}" for i in range(40)], "subject": subjects})
    mean_faces.store(Faces("ckplus", images, labels, frames, ("anger", "contempt", "fear")))
    found = mean_faces.stored("ckplus")
    assert list(found) == ["anger", "fear"]
    assert found["anger"][5, 7] == 30 and found["anger"][7, 5] == 20 and found["fear"].mean() == 10
