/** The work queue. */
export type {
  ClaimRequest,
  ClaimResponse,
  ReleasedWork,
  ReleaseRequest,
  RenewRequest,
  RenewResponse,
  StartingParent,
  StartRequest,
  StartResponse,
} from "./requests.ts";
export { WorkService, type WorkServiceOptions } from "./work-service.ts";
