#pragma once
/*
 * gone: a directory of trees that wait to be taken apart.
 */

/** gone_take() - rename @name of @from into @gone, at once. Returns: 0 or negative errno */
int gone_take(int gone, int from, const char *name);

/** gone_take_all() - every entry of @from. Returns: 0 or negative errno */
int gone_take_all(int gone, int from);

/** gone_empty() - take all of it apart, as the least important process. Returns: 0 or negative errno */
int gone_empty(int gone);
