/** Headers of a result that is read over HTTP: the attempt that made it, and the mesh's signature (`signed-statements.ts`). */
export const RESULT_FENCE_HEADER = "muster-result-fence";
export const RESULT_SIGNATURE_HEADER = "muster-result-signature";
