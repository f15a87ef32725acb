"""How a record becomes one in another language: what must survive, what stays as it is, the engine, the memory."""
