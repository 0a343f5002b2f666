#pragma once
/*
 * protocol-document: the methods as an OpenRPC document, for rpc.discover.
 */
#include "build-aux/protocol-source.h"

#define PROTOCOL_VERSION "1"

/** protocol_document() - fresh */
cJSON *protocol_document(const Protocol *protocol);
