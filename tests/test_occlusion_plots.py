"""What occlusion takes, as drawn."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from fer_lib.figures import occlusion_plots, plots


def test_gains_are_blue_and_losses_orange(ax):
    occlusion_plots.gained(ax, pd.DataFrame({"black": [0.5, -0.5], "mean": [0.0, 0.25]}, index=["eyes", "mouth"]))
    (image,) = ax.images
    shown = image.cmap(image.norm(np.asarray(image.get_array())))
    assert to_hex(shown[0, 0]) == plots.ACCENT and to_hex(shown[1, 0]) == plots.CYCLE[1]
    assert shown[0, 1, 3] < 0.01 < shown[1, 1, 3] < 0.6, "nothing gained is see-through"
    assert [text.get_text() for text in ax.texts] == ["+50", "+0", "-50", "+25"]
