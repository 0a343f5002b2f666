#pragma once
/*
 * layer-appear: a new layer gets its place in the store, whole or not at all.
 */

/**
 * layer_appear() - flush @from of @fresh and make it @to of @layers; what cannot be made so goes
 * @layers: directory of layers, borrowed, like the next two
 * @fresh:  directory of new ones
 * @gone:   where what goes is taken apart
 *
 * Takes as long as the disk needs. A layer that is there already stays, and is as good.
 *
 * Returns: 0 or negative errno.
 */
int layer_appear(int layers, int fresh, int gone, const char *from, const char *to);
