#pragma once
/*
 * jail-handover: what the monitor hands over with a jail that it has made: descriptors, the first slots, init.
 */
#include "supervisor/front/jails/init-link.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/monitor-link.h"

/**
 * jail_handover() - take it all into @jail
 * @fds:     as the bits of @reply name them; taken ones become -EBADF
 * @on_init: init is broken; called with @jail
 *
 * Returns: 0 or negative errno (-EPROTO: something that it must have is missing).
 */
int jail_handover(FrontJail *jail, const MonitorReply *reply, int *fds, unsigned n_fds,
                  InitBrokenFn on_init, Error *err);
