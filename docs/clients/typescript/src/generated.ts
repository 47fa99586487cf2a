/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
export type AcknowledgeAlertInput = {
  readonly expectedVersion?: number | null | undefined;
  readonly id: string;
};

export type AlertEventKind =
  | 'ACKNOWLEDGED'
  | 'ASSIGNED'
  | 'ATTACHMENT_ADDED'
  | 'ATTACHMENT_REMOVED'
  | 'COMMENTED'
  | 'FLAPPING_ENDED'
  | 'FLAPPING_STARTED'
  | 'GROUPED'
  | 'INVESTIGATING'
  | 'MOVED'
  | 'OPENED'
  | 'PAUSE_ENDED'
  | 'REDACTED'
  | 'REOPENED'
  | 'REPEATED'
  | 'RESOLVED'
  | 'SNOOZED'
  | 'SUPPRESSED'
  | 'UNACKNOWLEDGED'
  | 'UNGROUPED'
  | 'UNSUPPRESSED'
  | 'UPDATED'
  | 'WOKEN';

export type AlertFilter = {
  readonly and?: ReadonlyArray<AlertFilter> | null | undefined;
  readonly assignedTo?: string | null | undefined;
  readonly createdAt?: DateTimeRange | null | undefined;
  readonly dedupKey?: string | null | undefined;
  readonly falsePositive?: boolean | null | undefined;
  readonly flapping?: boolean | null | undefined;
  readonly groupId?: string | null | undefined;
  readonly ids?: ReadonlyArray<string> | null | undefined;
  readonly integrationId?: string | null | undefined;
  readonly isOpen?: boolean | null | undefined;
  readonly labels?: ReadonlyArray<LabelMatcherInput> | null | undefined;
  readonly not?: AlertFilter | null | undefined;
  readonly or?: ReadonlyArray<AlertFilter> | null | undefined;
  readonly resolvedAt?: DateTimeRange | null | undefined;
  readonly search?: string | null | undefined;
  readonly serviceName?: ReadonlyArray<string | null | undefined> | null | undefined;
  readonly severity?: ReadonlyArray<Severity> | null | undefined;
  readonly snoozed?: boolean | null | undefined;
  readonly source?: ReadonlyArray<string> | null | undefined;
  readonly status?: ReadonlyArray<AlertStatus> | null | undefined;
  readonly suppressed?: boolean | null | undefined;
  readonly teamId?: string | null | undefined;
  readonly unassigned?: boolean | null | undefined;
  readonly updatedAt?: DateTimeRange | null | undefined;
};

export type AlertStatus =
  | 'ACKNOWLEDGED'
  | 'ACTIVE'
  | 'INVESTIGATING'
  | 'RESOLVED';

export type DateTimeRange = {
  readonly from?: string | null | undefined;
  readonly until?: string | null | undefined;
};

export type ErrorCode =
  | 'ALREADY_EXISTS'
  | 'ENROLMENT_REQUIRED'
  | 'FORBIDDEN'
  | 'IDEMPOTENCY_CONFLICT'
  | 'ILLEGAL_MOVE'
  | 'INVALID_CREDENTIALS'
  | 'INVALID_INPUT'
  | 'INVALID_LINK'
  | 'LAST_ADMINISTRATOR'
  | 'NEWER_ALERT_OPEN'
  | 'NOT_FOUND'
  | 'OVERLOADED'
  | 'SECOND_FACTOR_REQUIRED'
  | 'SILENCE_TOO_BROAD'
  | 'STALE_VERSION'
  | 'STEP_UP_REQUIRED'
  | 'SWAP_CONFLICT'
  | 'TEAM_IN_USE'
  | 'TOO_MANY_ATTEMPTS'
  | 'UNAUTHENTICATED'
  | 'WEAK_PASSWORD'
  | 'WOULD_OPEN_GAPS'
  | 'WRONG_TRANSPORT';

export type LabelMatcherInput = {
  readonly name: string;
  readonly operator?: MatchOperator;
  readonly value: string;
};

export type LoginInput = {
  readonly deviceToken?: string | null | undefined;
  readonly email: string;
  readonly password: string;
  readonly recoveryCode?: string | null | undefined;
  readonly totpCode?: string | null | undefined;
};

export type MatchOperator =
  | 'EQUAL'
  | 'NOT_EQUAL'
  | 'NOT_REGEX'
  | 'REGEX';

export type RefreshSessionInput = {
  readonly refreshToken?: string | null | undefined;
};

export type Severity =
  | 'CRITICAL'
  | 'HIGH'
  | 'LOW'
  | 'MEDIUM';

export type StreamResetReason =
  | 'CURSOR_EXPIRED'
  | 'LOG_RESTORED'
  | 'OVERTAKEN'
  | 'SLOW_CONSUMER';

export type SignInMutationVariables = Exact<{
  input: LoginInput;
}>;


export type SignInMutation = { readonly login:
    | { readonly __typename: 'Forbidden', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'InvalidCredentials', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'InvalidInput', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'LoginSuccess', readonly accessToken: string, readonly refreshToken: string, readonly expiresAt: string }
    | { readonly __typename: 'SecondFactorRequired', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'TooManyAttempts', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'WrongTransport', readonly code: ErrorCode, readonly message: string }
   };

export type RefreshMutationVariables = Exact<{
  input: RefreshSessionInput;
}>;


export type RefreshMutation = { readonly refreshSession:
    | { readonly __typename: 'Forbidden', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'InvalidCredentials', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'InvalidInput', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'RefreshSessionSuccess', readonly accessToken: string, readonly refreshToken: string, readonly expiresAt: string }
    | { readonly __typename: 'WrongTransport', readonly code: ErrorCode, readonly message: string }
   };

export type OpenAlertsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type OpenAlertsQuery = { readonly eventCursor: string, readonly alerts: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly title: string, readonly severity: Severity, readonly status: AlertStatus, readonly serviceName: string | null, readonly version: number }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };

export type AcknowledgeMutationVariables = Exact<{
  input: AcknowledgeAlertInput;
}>;


export type AcknowledgeMutation = { readonly acknowledgeAlert:
    | { readonly __typename: 'AcknowledgeAlertSuccess', readonly alert: { readonly id: string, readonly title: string, readonly severity: Severity, readonly status: AlertStatus, readonly serviceName: string | null, readonly version: number } }
    | { readonly __typename: 'Forbidden', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'IllegalMove', readonly code: ErrorCode, readonly message: string, readonly current: string }
    | { readonly __typename: 'InvalidInput', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'NotFound', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'StaleVersion', readonly code: ErrorCode, readonly message: string }
   };

export type FollowSubscriptionVariables = Exact<{
  filter?: AlertFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type FollowSubscription = { readonly alertEvents:
    | { readonly __typename: 'AlertEvent', readonly id: string, readonly cursor: string, readonly kind: AlertEventKind, readonly occurredAt: string, readonly alert: { readonly id: string, readonly title: string, readonly severity: Severity, readonly status: AlertStatus, readonly serviceName: string | null, readonly version: number } }
    | { readonly __typename: 'AlertLeftView', readonly cursor: string, readonly alertId: string }
    | { readonly __typename: 'StreamReset', readonly reason: StreamResetReason, readonly resumeAfter: string }
   };

export type AlertLineFragment = { readonly id: string, readonly title: string, readonly severity: Severity, readonly status: AlertStatus, readonly serviceName: string | null, readonly version: number };

export const AlertLineFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"AlertLine"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Alert"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"severity"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"serviceName"}},{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]} as unknown as DocumentNode<AlertLineFragment, unknown>;
export const SignInDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SignIn"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"LoginInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"login"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"LoginSuccess"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"accessToken"}},{"kind":"Field","name":{"kind":"Name","value":"refreshToken"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]} as unknown as DocumentNode<SignInMutation, SignInMutationVariables>;
export const RefreshDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Refresh"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RefreshSessionInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"refreshSession"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RefreshSessionSuccess"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"accessToken"}},{"kind":"Field","name":{"kind":"Name","value":"refreshToken"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]} as unknown as DocumentNode<RefreshMutation, RefreshMutationVariables>;
export const OpenAlertsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"OpenAlerts"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"eventCursor"}},{"kind":"Field","name":{"kind":"Name","value":"alerts"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"isOpen"},"value":{"kind":"BooleanValue","value":true}}]}},{"kind":"Argument","name":{"kind":"Name","value":"orderBy"},"value":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"field"},"value":{"kind":"EnumValue","value":"SEVERITY"}},{"kind":"ObjectField","name":{"kind":"Name","value":"direction"},"value":{"kind":"EnumValue","value":"DESC"}}]}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"AlertLine"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"AlertLine"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Alert"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"severity"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"serviceName"}},{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]} as unknown as DocumentNode<OpenAlertsQuery, OpenAlertsQueryVariables>;
export const AcknowledgeDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Acknowledge"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"AcknowledgeAlertInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"acknowledgeAlert"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"AcknowledgeAlertSuccess"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"alert"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"AlertLine"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"IllegalMove"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"current"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"AlertLine"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Alert"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"severity"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"serviceName"}},{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]} as unknown as DocumentNode<AcknowledgeMutation, AcknowledgeMutationVariables>;
export const FollowDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"Follow"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"AlertFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"alertEvents"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"AlertEvent"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"alert"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"AlertLine"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"AlertLeftView"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"alertId"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamReset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"resumeAfter"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"AlertLine"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Alert"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"severity"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"serviceName"}},{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]} as unknown as DocumentNode<FollowSubscription, FollowSubscriptionVariables>;