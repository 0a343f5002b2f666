#pragma once
/*
 * request: what the front asks of init.
 */
#include "sandbox/init/init.h"

/** request_take() - one message of the front */
void request_take(Init *init);
