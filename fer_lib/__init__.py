"""The method of Kim, Lee & Lee (SPIE 2022): occlusion, spatial transformer, cut ResNet, triplet loss."""
