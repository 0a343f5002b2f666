#pragma once
/*
 * protocol-page: the methods as a part of warder-rpc(7), in scdoc.
 */
#include <stdio.h>

#include "build-aux/protocol-source.h"

/**
 * protocol_page() - write @template to @out
 *
 * Its line "@METHODS@" becomes all methods, "@NOTIFICATIONS@" what the supervisor sends by itself, "@SHAPES@" what several
 * methods have. Each must stand there once.
 */
void protocol_page(const Protocol *protocol, FILE *template, FILE *out);
