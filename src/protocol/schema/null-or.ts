import { z } from "zod";

/** The schema or null. Unlike `nullable()`, it does not make a schema with an ID nullable wherever the description of the API refers to it. */
export const nullOr = <S extends z.ZodType>(schema: S) => z.union([schema, z.null()]);
