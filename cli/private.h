#pragma once
/*
 * private: a supervisor for the length of a call, started by root where no service runs. It ends by
 * itself when nothing needs it any more; a second call joins the one that is alive.
 */
#include "base/rpc.h"

/**
 * private_connect() - join the instance, or start it
 * @instance: its name; its files lie below the run directory under that name
 *
 * Returns: 0 or negative errno; where warderd could not start, err has its own last words.
 */
int private_connect(const char *instance, RpcPeer **ret_peer, Error *err);
